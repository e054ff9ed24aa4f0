"""The shelf of models: which there are, what is on this machine, and how it gets here."""
