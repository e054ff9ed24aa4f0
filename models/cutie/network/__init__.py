"""The layers of the memory network; `network` puts them together."""
