"""Makes realistic backends of any size, the same ones for the same seed."""
