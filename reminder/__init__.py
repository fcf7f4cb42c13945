"""Keeps the return-visit and deadline calendar of every open case."""

__version__ = "0.1.0"
