"""The timeline, and what moves along it: thumbnails, transport, playback."""
