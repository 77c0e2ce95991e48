"""Arithmetic on an order log: numpy only, no Django, importable in a notebook."""
