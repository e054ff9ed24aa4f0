"""The verbs over many frames: jobs, blocks of the timeline, anchors."""
