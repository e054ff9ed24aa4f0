"""The inspection of runs: what there is, how it fails, and the views that show it."""
