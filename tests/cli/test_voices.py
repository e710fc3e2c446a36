import wave

from avatar_scheduler.studio import voices
from tests.cli.command import Cli


class TestVoices:
    def test_list_names_each_voice_and_what_it_lacks(self, cli: Cli) -> None:
        rows = cli("voices", "list", "--json").json
        assert {row["id"]: row["missing"] for row in rows} == {voice.id: "" for voice in voices.every()}
        assert next(row for row in rows if row["id"] == "ff_siwis")["languages"] == ["fr"]
        assert "piper:/path/to/voice.onnx" in cli("voices", "list").out

    def test_say_writes_a_wav(self, cli: Cli) -> None:
        told = cli("voices", "say", "Bonjour à tous.", cli.folder / "a.wav", "--lang", "fr", "--voice", "espeak")
        assert told.code == 0, told
        assert "3 words" in told.out
        with wave.open(str(cli.folder / "a.wav")) as sound:
            assert sound.getnframes() / sound.getframerate() > 1

    def test_say_refuses_what_no_voice_can_say(self, cli: Cli) -> None:
        out = cli.folder / "a.wav"
        cli("voices", "say", "Bonjour.", out, "--lang", "tlh").refused(2, 'There is no language "tlh"')
        cli("voices", "say", "Hi [sic].", out).refused(2, "“[sic]” is not a cue")
        cli("voices", "say", "Hi.", cli.folder / "no" / "a.wav").refused(3, "cannot be written")

    def test_install_says_what_is_there(self, cli: Cli) -> None:
        assert "ff_siwis" in cli("voices", "install").out


class TestDictionary:
    def test_add_list_remove(self, cli: Cli) -> None:
        assert cli("voices", "dictionary", "list").out.startswith("No readings yet.")
        told = cli("voices", "dictionary", "add", "Œuvrard", "Euvrar [b]", "--lang", "fr")
        told.refused(2, "without brackets")
        told = cli("voices", "dictionary", "add", "Œuvrard", "Euvrar", "--lang", "fr")
        assert told.out == "Maya (fr): “Œuvrard” is read “Euvrar”.\n"
        assert cli("voices", "dictionary", "list", "--json").json == [
            {"language": "fr", "written": "Œuvrard", "spoken": "Euvrar"}
        ]
        assert "Euvrar" in cli("voices", "dictionary", "list", "--lang", "fr").out
        assert cli("voices", "dictionary", "remove", "Œuvrard", "--lang", "fr").code == 0
        assert cli("voices", "dictionary", "list", "--json").json == []
        cli("voices", "dictionary", "remove", "Œuvrard", "--lang", "fr").refused(4, "no reading of “Œuvrard” in fr")
        cli("voices", "dictionary", "add", "a", "b", "--lang", "fr", "--creator", "zed").refused(4, "zed")
