"""Commands about this machine: its weights and whether it can do the work."""
