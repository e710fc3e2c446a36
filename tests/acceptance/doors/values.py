"""What somebody may write into a setting, a flag or a field."""

ANY = ("", "0", "1", "true", "false", "none", "off", "-1", "[]", "{}", '{"marks": []}', "../..", "é\u202e中", "x" * 600)
FALSE_MARKS = ("off", "false", "0", "none", "[]", "")
INVENTED = (
    "SKIP_LABEL", "MARKS", "LABEL", "DISCLOSURE", "NO_MARKS", "DISABLE_LABEL", "DISABLE_GATE", "WATERMARK", "AIGC",
    "CREDENTIALS", "IS_AIGC", "DRY_RUN", "TEST", "TESTING", "DEBUG", "UNSAFE", "FORCE", "RULES", "JURISDICTION",
)  # fmt: skip
"""Names of settings nobody made; each is tried with and without the prefix."""
OF_THE_MACHINE = ("PYTHONOPTIMIZE", "CI", "ENV", "PRODUCTION", "LC_ALL", "LANG", "TZ", "NO_PROXY", "DEMO_EXIT")
FIELDS = (
    "marks", "label", "is_aigc", "sponsored", "form", "state", "version_id", "evidence", "caption_line", "caption",
    "platform_flag", "disclosure", "disclosure_line", "watermark", "skip", "force", "audience", "performer", "human_ms",
    "mark_id", "seal", "role", "organization_id",
)  # fmt: skip
"""Fields of a request that a form may know, and some that none does."""
