"""What is shown when: the time line, backgrounds, inserts, cards and human clips around the figure."""
