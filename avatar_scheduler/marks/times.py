"""Times of a film as a person reads them."""

Span = tuple[int, int]
"""Milliseconds: from the first frame that counts to the first that does not."""


def clock(ms: int) -> str:
    """ "1:02.4"."""
    minutes, rest = divmod(ms, 60_000)
    fraction = f"{rest % 1000:03}".rstrip("0")
    return f"{minutes}:{rest // 1000:02}" + (f".{fraction}" if fraction else "")


def named(spans: list[Span]) -> str:
    """The first three of them, and how many more there are."""
    told = ", ".join(f"from {clock(begin)} to {clock(end)}" for begin, end in spans[:3])
    return told + (f" and {len(spans) - 3} more times" if len(spans) > 3 else "")
