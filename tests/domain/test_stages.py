"""When a policy is met, and when another one is weaker."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.stages import (
    ANYONE,
    CLIENT,
    CREATOR,
    MOST,
    Stage,
    Yes,
    check,
    met,
    next_open,
    read,
    weaker,
)

EDITOR, BRAND = "role:approver", "member:brand"
SEQUENCE = (Stage((EDITOR,)), Stage((BRAND,)), Stage((CREATOR,)))


class TestMeeting:
    def test_one_of_several_is_enough(self) -> None:
        stage = Stage((CREATOR, BRAND))
        assert not met(stage, [])
        assert met(stage, [Yes(0, "b", BRAND)])

    def test_all_means_different_people(self) -> None:
        stage = Stage((CREATOR, CLIENT), all=True)
        assert not met(stage, [Yes(0, "a", CREATOR)])
        assert not met(stage, [Yes(0, "a", CREATOR), Yes(0, "a", CLIENT)])
        assert met(stage, [Yes(0, "a", CREATOR), Yes(0, "a", CLIENT), Yes(0, "b", CLIENT)])

    def test_stages_are_met_in_their_order_and_a_yes_counts_where_it_was_given(self) -> None:
        given_now: list[Yes] = []
        for number, (member, selector) in enumerate((("e", EDITOR), ("b", BRAND), ("c", CREATOR))):
            assert next_open(SEQUENCE, given_now) == number
            given_now.append(Yes(number, member, selector))
        assert next_open(SEQUENCE, given_now) is None
        assert next_open(SEQUENCE, [Yes(0, "c", CREATOR), Yes(1, "c", CREATOR), Yes(2, "c", CREATOR)]) == 0

    def test_no_stage_is_met_by_nobody(self) -> None:
        assert next_open((), []) is None
        with pytest.raises(Invalid):
            check((), core=True)


@pytest.mark.parametrize(
    ("new", "old", "is_weaker"),
    [
        (SEQUENCE, SEQUENCE, False),
        (SEQUENCE, (Stage((CREATOR,)),), False),
        ((Stage((CREATOR,)),), SEQUENCE, True),
        ((), (Stage((CREATOR,)),), True),
        ((Stage((CREATOR,)),), (), False),
        ((Stage((ANYONE,)),), (Stage((CREATOR,)),), True),
        ((Stage((CREATOR,)),), (Stage((CREATOR, CLIENT)),), False),
        ((Stage((CREATOR, CLIENT)),), (Stage((CREATOR,)),), True),
        ((Stage((CREATOR, CLIENT), all=True),), (Stage((CREATOR, CLIENT)),), False),
        ((Stage((CREATOR, CLIENT)),), (Stage((CREATOR, CLIENT), all=True),), True),
        ((Stage((CREATOR,)),), (Stage((CREATOR, CLIENT), all=True),), True),
        (tuple(reversed(SEQUENCE)), SEQUENCE, True),
    ],
)
def test_weaker(new: tuple[Stage, ...], old: tuple[Stage, ...], is_weaker: bool) -> None:
    assert weaker(new, old) is is_weaker


PEOPLE = {"a": (ANYONE, CREATOR), "b": (ANYONE, CLIENT), "c": (ANYONE,)}
STAGES = st.lists(
    st.builds(
        Stage,
        st.lists(st.sampled_from((ANYONE, CREATOR, CLIENT)), min_size=1, max_size=2, unique=True).map(tuple),
        st.booleans(),
    ),
    max_size=3,
).map(tuple)


@given(new=STAGES, old=STAGES)
@settings(max_examples=300, deadline=None)
def test_who_passes_a_policy_that_is_not_weaker_passes_the_old_one(
    new: tuple[Stage, ...], old: tuple[Stage, ...]
) -> None:
    """Every way to pass `new` gives, in the same order, people enough to pass `old`."""
    if weaker(new, old):
        return
    options = [[Yes(n, who, sel) for who, sels in PEOPLE.items() for sel in sels] for n in range(len(new))]
    for chosen in itertools.product(*(itertools.combinations(option, 2) for option in options)):
        yeses = [yes for pair in chosen for yes in pair]
        if next_open(new, yeses) is None:
            assert _could_pass(old, yeses)


def _could_pass(old: tuple[Stage, ...], yeses: list[Yes]) -> bool:
    """Whether the old stages can be matched, in order, to stages the same people passed."""
    numbers = sorted({yes.stage for yes in yeses})
    for places in itertools.combinations(numbers, len(old)):
        moved = [Yes(places.index(yes.stage), yes.member, yes.selector) for yes in yeses if yes.stage in places]
        if next_open(old, moved) is None:
            return True
    return not old


@pytest.mark.parametrize(
    "text", ["", "null", "true", "0", "{}", '[{"by": []}]', '[{"all": true}]', "[1]", '[{"by": 5, "all": false}]']
)
def test_what_is_no_policy_is_no_policy(text: str) -> None:
    """None of these may be read as "nobody has to agree"."""
    with pytest.raises(Invalid):
        check(read(text), core=True)


@pytest.mark.parametrize("value", ["true", "false"])
def test_all_is_true_or_false(value: str) -> None:
    [stage] = read(f'[{{"by": ["creator"], "all": {value}}}]')
    assert stage.all is (value == "true")


@pytest.mark.parametrize("row", ['"all": 1', '"all": "yes"', '"all": null', '"by": []', '"all": true, "by": [1]'])
def test_anything_else_is_not_taken_for_one_is_enough(row: str) -> None:
    with pytest.raises(Invalid):
        read(f'[{{"by": ["creator", "client"], {row}}}]')


@pytest.mark.parametrize(
    "stages",
    [
        [Stage(("nobody",))], [Stage(("role:",))], [Stage(("",))], [Stage((CREATOR, CREATOR))],
        [Stage((CREATOR,))] * (MOST + 1), [Stage(tuple(f"member:{n}" for n in range(MOST + 1)))],
    ],
)  # fmt: skip
def test_nonsense_is_refused(stages: Any) -> None:
    with pytest.raises(Invalid):
        check(stages, core=False)
