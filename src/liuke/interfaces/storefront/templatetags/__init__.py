"""Filters of the members' pages."""
