"""The canvas: the picture with its masks, zoomed and panned, and the tools in it."""
