"""What the actions do with files: videos and projects, masks from elsewhere, runs."""
