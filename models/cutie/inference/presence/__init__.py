"""The presence of objects on a frame: who is there, and whose mask is shown."""
