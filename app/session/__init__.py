"""The session: one open video and all that is done to it, as parts that a window is made on."""
