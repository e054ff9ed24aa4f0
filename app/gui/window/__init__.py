"""The main window: its composition, and what belongs to it alone."""
