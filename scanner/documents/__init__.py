"""What is written down for the people who run a service."""
