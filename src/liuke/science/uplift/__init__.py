"""Whom does it help? The average effect, who is moved more than others, and whether that can be told at all."""
