"""One open video and all that is done to it. `session.Session` is what the window talks to."""
