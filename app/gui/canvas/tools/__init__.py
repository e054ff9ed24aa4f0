"""The tools of the canvas: what the mouse does, one small class for each."""
