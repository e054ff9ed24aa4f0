"""What learns: networks through a clip, their losses and prompts."""
