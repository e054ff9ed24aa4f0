"""`maskwright train`."""
