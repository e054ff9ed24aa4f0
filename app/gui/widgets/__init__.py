"""The small widgets and words that every part of the window uses; they know no other part of it."""
