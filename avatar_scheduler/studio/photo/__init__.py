"""A portrait becomes an ordinary pack, once: patches are painted here, so a film costs what a drawn look costs."""
