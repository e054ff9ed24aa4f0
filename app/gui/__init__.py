"""The widgets: they show what the session says and tell it what the person did."""
