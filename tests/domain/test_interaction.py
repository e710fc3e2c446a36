from avatar_scheduler.domain.interaction import CORE, SECONDARY, is_core


def test_core_and_secondary_do_not_overlap() -> None:
    assert not CORE & SECONDARY


def test_an_unknown_kind_is_core() -> None:
    assert is_core("something_new")
    assert is_core("")


def test_replies_are_core_and_tips_are_not() -> None:
    assert is_core("reply")
    assert not is_core("tip")
