"""What `bench heal` plays and measures."""
