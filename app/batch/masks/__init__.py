"""Masks that are read, found, refined or voted on; no tracker runs."""
