"""The actions: one table of all, where they are offered, and what they do."""
