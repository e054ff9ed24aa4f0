"""Masks from clicks, boxes and masks, and through video: SAM 2, HQ-SAM and MobileSAM."""
