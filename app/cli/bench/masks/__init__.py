"""Measurements of masks: from clicks, among neighbours, refined."""
