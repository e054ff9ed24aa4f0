"""The docks and tool bars beside the picture."""
