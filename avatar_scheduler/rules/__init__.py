"""Rules as data: each row says where it comes from and when somebody last looked."""

from avatar_scheduler.rules.books import book, known_platforms, surface
from avatar_scheduler.rules.words import LABEL_SIGN, Texts, Wording, languages, texts, wording

__all__ = ["LABEL_SIGN", "Texts", "Wording", "book", "known_platforms", "languages", "surface", "texts", "wording"]
