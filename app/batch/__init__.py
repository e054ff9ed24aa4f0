"""Work over the frames of a video. No Qt: the window, the command line and bench share it."""
