"""The processes that do the work. Each task is a shell around one service call."""
