"""The verbs: what the actions do, one small class for each subject."""
