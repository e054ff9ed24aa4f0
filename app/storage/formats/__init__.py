"""The exchange formats: masks from and to VISOR, DAVIS, COCO, submissions and overlay videos."""
