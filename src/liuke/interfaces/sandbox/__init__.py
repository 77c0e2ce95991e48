"""A payment gateway to play with: a process of its own that knows nothing of the site but its public key."""
