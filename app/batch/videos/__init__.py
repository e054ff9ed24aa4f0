"""Many videos: a plan of steps, one video carried out, and the workers that share them."""
