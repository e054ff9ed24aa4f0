"""Files: video, project, exchange formats, settings. No Qt, no torch."""
