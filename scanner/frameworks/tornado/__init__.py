"""Tornado: rules of applications and routers, and the handlers that they lead to."""
