"""What watches over the process of the window: its memory, its garbage, its crashes."""
