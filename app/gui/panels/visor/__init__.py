"""The panels of what VISOR has beside masks."""
