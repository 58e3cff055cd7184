"""The engine: it turns a tree of files into a model of each service, and rules' verdicts into scores."""

__version__ = "0.1.0"
