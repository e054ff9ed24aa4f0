"""Whole data sets under the inspector: reading, scoring, and the report. No window, no model."""
