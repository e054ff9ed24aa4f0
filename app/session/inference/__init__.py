"""The session's end of the inference thread, and what is computed ahead of a click."""
