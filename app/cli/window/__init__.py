"""The command `open`: the window."""
