"""Read replicas: which there are, what reads from them, and whether anything writes there."""
