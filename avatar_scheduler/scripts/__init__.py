"""Scripts that people write as Jinja2 templates, turned into the plain text an avatar speaks."""
