"""Long jobs: one planner for each kind, and the runner that they share."""
