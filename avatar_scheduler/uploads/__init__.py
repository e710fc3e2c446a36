"""Files from outside: known by content, opened by a process that can do nothing else, kept as we wrote them anew."""
