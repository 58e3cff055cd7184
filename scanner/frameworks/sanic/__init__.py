"""Sanic: apps, blueprints and their groups, class-based views, what Sanic Extensions' decorators document."""
