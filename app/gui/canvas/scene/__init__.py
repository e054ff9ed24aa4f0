"""The scene of the canvas: the frame, the masks over it, marks, the difference to other masks."""
