"""The release of VISOR: its benchmark and its dense files, made of a file as the authors do."""
