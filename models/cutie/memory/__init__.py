"""What is remembered of a video, and how it is read."""
