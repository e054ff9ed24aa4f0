"""Training of the memory model: data, features cached on disk, losses, the loop."""
