"""The runs of the open project: kept, measured against the ground truth, shown and written out."""
