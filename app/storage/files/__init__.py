"""The files as such: written whole, locked, TOML. Knows no video and no mask."""
