"""The videos: a file or a folder as a sequence of frames, decoded exactly and cached."""
