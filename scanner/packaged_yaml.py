"""YAML that Assay brings along, parsed by libyaml where PyYAML has it: every start waits for it."""

from __future__ import annotations


def load(text: str) -> object:
    """Plain values. Raises yaml.YAMLError."""
    import yaml

    loader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loaded: object = yaml.load(text, loader)  # noqa: S506 - both are safe loaders
    return loaded
