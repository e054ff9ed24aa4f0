"""`maskwright batch`: many videos by one plan."""
