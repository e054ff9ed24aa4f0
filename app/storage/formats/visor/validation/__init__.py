"""The rules that a VISOR file keeps: each defect with its frame, annotation and rule."""
