"""The member's own side: their messages, what we may send them, why, and everything we know of them."""
