"""Counting what a reader calls a character (Unicode TR 29, extended grapheme clusters), never too few.

The standard library knows categories but not the break property, so only the joins that follow from a category or a
block are made. A join we miss counts one too many: a text that passes here passes on the platform.
"""

import unicodedata

ZWNJ, ZWJ = "\u200c", "\u200d"

# Spacing marks that TR 29 lets stand alone.
LONE_MARKS = frozenset(
    "\u102b\u102c\u1038\u1062\u1063\u1064\u1067\u1068\u1069\u106a\u106b\u106c\u106d\u1083\u1087\u1088\u1089\u108a"
    "\u108b\u108c\u108f\u109a\u109b\u109c\u1a61\u1a63\u1a64\uaa7b\uaa7d\U00011720\U00011721"
)
# Blocks that are Extended_Pictographic throughout; a rarer pictograph joined by ZWJ counts extra.
PICTOGRAPHS = (
    ("\u2614", "\u2685"),
    ("\u2690", "\u2705"),
    ("\u2708", "\u2712"),
    ("\u2763", "\u2767"),
    ("\u2194", "\u2195"),
    ("\u27a1", "\u27a1"),
    ("\u2b1b", "\u2b1b"),
    ("\U0001f300", "\U0001f3fa"),
    ("\U0001f400", "\U0001f64f"),
    ("\U0001f680", "\U0001f6ff"),
    ("\U0001f90c", "\U0001f93a"),
    ("\U0001f947", "\U0001faff"),
)


def count(text: str) -> int:
    clusters, base, before = 0, "", ""
    for char in text:
        if before and _joins(base, before, char):
            base = _base_after(base, before, char)
        else:
            clusters += 1
            base = char
        before = char
    return clusters


def _joins(base: str, before: str, char: str) -> bool:
    """`base` is what the cluster began with, as far as it still decides anything."""
    if before == "\r":
        return char == "\n"
    if _stands_alone(before) or _stands_alone(char):
        return False
    if _extends(char):
        return True
    if _is_flag_half(char):
        return before == base and _is_flag_half(base)
    return before == ZWJ and _is_pictograph(base) and _is_pictograph(char)


def _base_after(base: str, before: str, char: str) -> str:
    if before == ZWJ:
        return char if _is_pictograph(char) else ""
    # two halves make a flag and a third starts the next one; a spacing mark ends a chain of pictographs
    return "" if _is_flag_half(char) or unicodedata.category(char) == "Mc" else base


def _extends(char: str) -> bool:
    category = unicodedata.category(char)
    if category == "Mc":
        return char not in LONE_MARKS
    return category in {"Mn", "Me"} or char in {ZWNJ, ZWJ} or _is_tag(char) or "\U0001f3fb" <= char <= "\U0001f3ff"


def _stands_alone(char: str) -> bool:
    if char in {ZWNJ, ZWJ} or _is_tag(char):
        return False
    return unicodedata.category(char) in {"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"}


def _is_tag(char: str) -> bool:
    return "\U000e0020" <= char <= "\U000e007f"


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _is_pictograph(char: str) -> bool:
    return any(first <= char <= last for first, last in PICTOGRAPHS)
