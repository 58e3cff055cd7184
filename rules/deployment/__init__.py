"""Containers and deployment: images, configuration, probes, shutdown and limits."""
