"""What the actions do, one small class for each menu."""
