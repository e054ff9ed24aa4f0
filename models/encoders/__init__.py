"""Image encoders: SAM 2's Hiera, Depth Anything V2, and both fused."""
