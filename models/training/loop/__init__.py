"""The training loop and what it needs from the process."""
