"""The project file: every change is on disk as soon as it is made."""
