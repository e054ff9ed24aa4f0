"""Weights files: which there are, fetched, checked, read, made small."""
