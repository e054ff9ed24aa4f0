"""Work carried out over frames, without Qt: filling, healing and refining, and keeping it."""
