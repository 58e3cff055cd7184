"""Microservices: how services call each other and survive each other's failures."""
