"""The curves over the frames of a video."""
