"""The state of a session: the open video with its masks, the view, the settings, the activity."""
