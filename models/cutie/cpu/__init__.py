"""Faster forms of the same layers, for CPUs."""
