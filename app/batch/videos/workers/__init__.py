"""The workers that share the videos: processes of this machine, or a Ray cluster."""
