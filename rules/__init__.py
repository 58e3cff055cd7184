"""The standard: its sections and principles in `standard.yaml`, its rules in one package per section."""
