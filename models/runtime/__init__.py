"""The device that a model runs on, its memory, and torch's libraries."""
