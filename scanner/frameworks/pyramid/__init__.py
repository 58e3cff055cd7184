"""Pyramid: routes by name, the views that are declared for them, and what permissions those take."""
