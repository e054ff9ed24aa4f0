"""What a model runs on: device, memory, and torch's libraries."""
