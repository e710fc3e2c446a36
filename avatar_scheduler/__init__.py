"""Queue posts by an AI avatar: marked as AI, approved by a person, sent once."""

__version__ = "0.1.0"
