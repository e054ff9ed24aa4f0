"""Where, how and why a prediction fails against a ground truth. Pure functions over arrays."""
