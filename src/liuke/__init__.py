"""Liuke (留客): keep the members of a digital-goods site."""

__version__ = "0.1.0"
