"""The main window: puts the parts together, and what belongs to it alone."""
