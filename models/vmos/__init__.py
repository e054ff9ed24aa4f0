"""VMOS, the tracker of HQTrack: `network` is the model, `engine` its memory, `tracker` our door."""
