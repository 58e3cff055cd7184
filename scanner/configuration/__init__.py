"""How services are configured: what framework modules share to find settings, their defaults and their variables."""
