"""SAM 2, and what came of it, through video."""
