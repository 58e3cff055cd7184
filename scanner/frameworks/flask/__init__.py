"""Flask and its extensions: apps and blueprints, views, guards."""
