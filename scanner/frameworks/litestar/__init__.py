"""Litestar: handlers, controllers, routers and apps, and what each layer adds to all that is below it."""
