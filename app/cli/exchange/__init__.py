"""Commands between projects and exchange formats."""
