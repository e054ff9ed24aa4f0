"""A clip from end to end: encoder, memory, tracker, fusion of several runs."""
