"""Segments: a rule as data, what it asks of the database, and what it says of one member. No Django in here."""
