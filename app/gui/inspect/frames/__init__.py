"""The views of a frame: panes that zoom and move together."""
