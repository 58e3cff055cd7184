"""The metrics that code defines, where it counts, and by which labels."""
