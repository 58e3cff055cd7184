"""What several web frameworks have in common: composition of apps and routers, and how their parts are declared."""
