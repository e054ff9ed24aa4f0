"""What is written of a batch while it goes: a page, a list, a log of each failure."""
