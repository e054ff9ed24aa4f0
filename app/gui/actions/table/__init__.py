"""The table of actions: one row each, in the order of the menus."""
