"""Cutie's memory model, read top to bottom: `network` is the model, `inference` carries it on."""
