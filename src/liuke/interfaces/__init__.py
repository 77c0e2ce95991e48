"""Doors: how people and programs reach the rooms. No rules live here."""
