"""The window of a data set: every sequence at once, and the worst of all of them."""
