"""The dialog of the shelf of models: the list, what is said of one model, one's own weights."""
