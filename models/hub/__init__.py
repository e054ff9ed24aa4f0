"""Trackers of the `transformers` library: its video classes that share SAM 2's session."""
