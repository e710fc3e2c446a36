"""How far apart two files' perceptual hashes are. `prints` makes them; comparing needs no picture library."""

from collections.abc import Sequence

NEAR = 4.0
"""Mean distance in bits (of 64) up to which two files look alike. Measured on the built-in looks: a film against its
own copy at half size and crf 28, or a third and crf 32, 0 to 1.6; a picture against a JPEG of it down to a third and
quality 50, 0 to 0.4. Another film of the same look and scene is 2.8 to 8.4 away, so the nearest is taken and only said
to look like it; another look 12 to 19, other pictures of one post 11 to 28, a stranger's film about 30."""
APART = 64.0


def distance(one: Sequence[str], other: Sequence[str]) -> float:
    """Mean number of differing bits, 0 to 64. Files with different numbers of prints have nothing in common."""
    if not one or len(one) != len(other):
        return APART
    pairs = zip(one, other, strict=True)
    return sum((int(a, 16) ^ int(b, 16)).bit_count() for a, b in pairs) / len(one)
