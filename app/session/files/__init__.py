"""Files of a session: opening and closing, the project's autosave, exchange formats."""
