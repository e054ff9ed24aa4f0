"""Maskwright, the desktop application for correcting video object masks."""
