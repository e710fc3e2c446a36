"""A portrait becomes an ordinary pack, once: patches are painted here, so a film costs what a drawn look costs."""

NOTE = "Made from a photograph."
"""Stands in such a pack's table: a real person is shown."""
