"""Delivery: when messages are acknowledged, what becomes of those that fail, and how surely they are published."""
