"""A site to look around in: real orders of another trade, re-dated to the months before today."""
