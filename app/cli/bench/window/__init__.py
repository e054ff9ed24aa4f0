"""Measurements of the window, offscreen."""
