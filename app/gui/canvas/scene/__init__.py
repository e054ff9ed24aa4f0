"""What the canvas shows: the frame, the masks over it, marks, and the difference to other masks."""
