"""Settings of a post are of the types they should be, and a message names the key that is not."""

from typing import Any

import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import Card, read


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"intro": {"title": 5}}, "intro.title: write a short text."),
        ({"intro": {"title": True}}, "intro.title: write a short text."),
        ({"intro": {"title": "x" * 201}}, "intro.title: write a short text."),
        ({"outro": {"text": "Bye"}}, "outro.title: write a short text."),
        ({"outro": {"title": "Bye", "seconds": "2"}}, "outro.seconds: write a number."),
        ({"outro": {"title": "Bye", "seconds": 10**400}}, "outro.seconds: write a number."),
        ({"outro": {"title": "Bye", "seconds": float("nan")}}, "outro.seconds: write a number from 0.5 to 10"),
        ({"lower_third": {"name": ["Maya"]}}, "lower_third.name: write a short text."),
        ({"lower_third": {"name": "Maya", "at": True}}, "lower_third.at: write a number."),
        ({"music": {"material": 1}}, "music.material: write a short text."),
        ({"music": {"material": "song", "below": "18"}}, "music.below: write a number."),
        ({"background": {"kind": []}}, "background.kind: write a short text."),
        ({"background": {"value": 7}}, "background.value: write a short text."),
        ({"background": "sea"}, "background: write a table of settings"),
        ({"format": ["9:16"]}, "format: write a short text."),
        ({"voice": 3}, "voice: write a short text."),
        ({"recording": {}}, "recording: write a short text."),
        ({"speed": "1.1"}, "speed: write a number."),
        ({"speed": None}, "speed: write a number."),
        ({"materials": {"cake": 5}}, "materials.cake: write a short text."),
        ({"materials": {"Big Cake": "cake"}}, "materials: “Big Cake” is not a name."),
        ({"materials": ["cake"]}, "materials: write a table of name = upload."),
        ({"colour": "red"}, "staging: there is no setting “colour”."),
    ],
)
def test_a_value_of_another_type_is_named_with_its_key(values: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(values)
    assert caught.value.message.startswith(message)


def test_what_is_right_stays_what_it_is() -> None:
    made = read({"speed": 1, "intro": {"title": "Hi", "seconds": 2}, "outro": None, "materials": {"song": "beach"},
                 "music": {"material": "song", "below": 20}})  # fmt: skip
    assert made.intro == Card("Hi", "", 2.0)
    assert isinstance(made.speed, float)
    assert read(made.as_dict()) == made
