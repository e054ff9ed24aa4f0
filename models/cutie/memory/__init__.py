"""The memory of a video: buckets of tokens, and how they are read."""
