"""Bottle: routes of its applications, and the hooks and plugins that guard them."""
