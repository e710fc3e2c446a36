import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.speech.cues import Direction, check, parts, seconds, shown

MATERIALS = {"cake": "image", "me": "clip", "song": "music"}


def test_parts_keep_text_and_cues_in_order() -> None:
    assert parts("Hi [smile]there.[pause  1,5s] [Look LEFT]") == [
        "Hi ",
        Direction("smile", ""),
        "there.",
        Direction("pause", "1,5s"),
        " ",
        Direction("look", "left"),
        "",
    ]


def test_a_cue_that_shows_carries_its_seconds() -> None:
    assert [shown(part.value) for part in parts("[show cake][show cake 3s]") if isinstance(part, Direction)] == [
        ("cake", None),
        ("cake", 3.0),
    ]
    assert seconds("1,5s") == 1.5


def test_check_gives_the_words_alone() -> None:
    assert check("Hello [smile] there [show cake 2s] and [clip me] on.", MATERIALS).split() == [
        "Hello",
        "there",
        "and",
        "on.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("so [sic] he said", "“[sic]” is not a cue. Known cues: [smile], [neutral]"),
        ("see [1]", "“[1]” is not a cue."),
        ("[smile left]", "“[smile left]” is not a cue."),
        ("[look up]", "“[look up]” is not a cue."),
        ("[pause]", "“[pause]” is not a cue."),
        ("[pause 30s]", "“[pause 30s]”: write more than 0 and at most 10 seconds."),
        ("[pause 500s]", "“[pause 500s]”: write more than 0 and at most 10 seconds."),
        ("[show cake 9999s]", "“[show cake 9999s]”: write more than 0 and at most 60 seconds."),
        ("[pause 0s]", "“[pause 0s]”: write more than 0"),
        ("[show cake 99s]", "“[show cake 99s]”: write more than 0 and at most 60 seconds."),
        ("[show Big Cake]", "“[show Big Cake]” is not a cue."),
        ("[clip me 3s]", "“[clip me 3s]” is not a cue."),
        ("a [smile", "The bracket in “a [smile” is not closed on its line."),
        ("a] smile", "The bracket in “a] smile” is not closed"),
        ("[]", "“[]” is not a cue."),
        ("[show tart]", "“[show tart]”: no material is named “tart”. There are: cake, me, song."),
        ("[show song]", "“[show song]”: “song” is of kind music, not image or photo or clip."),
        ("[clip cake]", "“[clip cake]”: “cake” is of kind image, not clip."),
    ],
)
def test_what_is_no_cue_is_named_with_the_known_ones(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        check(text, MATERIALS)
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message
