"""What libraries do, as data: taint sources, sinks and sanitizers, blocking calls, pool settings."""
