"""Edits by a person: of masks and objects, by clicks, from the clipboard, and their undo."""
