"""The inference thread and the plain Python that it runs."""
