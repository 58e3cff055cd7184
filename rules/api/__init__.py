"""API design: what clients of the service may rely on."""
