"""The command `demo`: the bundled clip, and the whole loop on it."""
