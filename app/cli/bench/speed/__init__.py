"""The speed and the memory of trackers, beside the published implementation."""
