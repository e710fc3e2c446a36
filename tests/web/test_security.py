import pytest

from avatar_scheduler.web import icons, security


@pytest.mark.parametrize(
    "target",
    ["", "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil",
     "javascript:alert(1)", "/a\nb", "review"],
)  # fmt: skip
def test_signing_in_never_leads_to_another_site(target: str) -> None:
    assert security.local_path(target) == "/review"


def test_signing_in_leads_back_to_the_card() -> None:
    assert security.local_path("/review/v1?x=1") == "/review/v1?x=1"


def test_on_one_machine_each_of_its_names_is_ours() -> None:
    assert security.own_origins("http://127.0.0.1:8321") == {
        "http://127.0.0.1:8321", "http://localhost:8321", "http://[::1]:8321"
    }  # fmt: skip


def test_on_a_server_only_its_own_name_is_ours() -> None:
    assert security.own_origins("https://avatars.example") == {"https://avatars.example"}


def test_the_policy_is_the_one_of_the_design() -> None:
    assert "unsafe" not in security.POLICY
    assert security.POLICY == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def test_every_icon_is_a_drawing_and_not_the_packages_placeholder() -> None:
    for name, drawing in icons.drawings().items():
        assert drawing.startswith(("<path", "<circle", "<rect", "<line", "<polyline", "<ellipse")), name
        assert "placeholder" not in drawing


def test_an_icon_nobody_listed_is_an_error() -> None:
    with pytest.raises(LookupError, match="rocket"):
        icons.Icons()("rocket")
