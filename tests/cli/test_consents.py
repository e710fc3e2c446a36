"""The consent commands: what they say of a consent, and of taking it back."""

from tests.cli.command import Cli


class TestShow:
    def test_it_says_what_how_long_and_that_nothing_proves_it(self, cli: Cli) -> None:
        said = cli("consent", "show").out
        for line in ("state: in_force", "rights: likeness, voice", "live: no", "platforms: every one"):
            assert line in said
        assert "given by: Ada at the terminal" in said
        assert "proof: none" in said
        assert "/onboarding/maya" in said

    def test_renewing_and_withdrawing_show(self, cli: Cli) -> None:
        assert "Maya consents until" in cli("consent", "renew", "--days", "10").out
        assert "state: ending" in cli("consent", "show").out
        said = cli("consent", "revoke").out
        assert "Kept back: 0. Renders stopped: 0. Standing approvals ended: 0." in said
        assert "state: withdrawn" in cli("consent", "show").out

    def test_without_a_recording_none_is_written(self, cli: Cli) -> None:
        cli("consent", "proof", "here.mp4").refused(4, "There is no recording")


def test_in_an_agency_a_person_is_asked_and_nobody_consents_for_them(cli: Cli) -> None:
    cli.sql("UPDATE organization SET kind = 'agency'")
    said = cli("creator", "add", "Leo", "--avatar", "leo").out
    assert "Nothing of theirs is rendered before they consent" in said
    assert "state: missing" in cli("consent", "show", "--creator", "leo").out
    cli("consent", "renew", "--creator", "leo").refused(3, "Only Leo can consent", "/onboarding/leo")
