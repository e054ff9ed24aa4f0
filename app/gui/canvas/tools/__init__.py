"""What the mouse does on the canvas: one small class for each tool."""
