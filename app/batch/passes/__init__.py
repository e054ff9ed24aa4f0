"""Passes of a tracker over frames: filled, healed, and the one place that drives trackers."""
