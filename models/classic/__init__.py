"""The models that need no weights: optical flow and colour."""
