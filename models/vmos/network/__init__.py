"""The layers of VMOS; `network` puts them together."""
