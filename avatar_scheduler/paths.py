"""Where the files that are not Python live: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path

_PACKAGED = Path(__file__).parent / "templates"
_CHECKOUT = Path(__file__).parents[1] / "templates"
TEMPLATES = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
