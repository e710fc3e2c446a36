"""What evidence is about: the SHA-256 of the bytes measured."""

import hashlib
from pathlib import Path


def of_file(path: Path) -> str:
    """Empty when the file cannot be read: evidence about nothing proves nothing."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
