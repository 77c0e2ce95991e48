"""What a member may want next: to buy again, to discover, to take along; each with its reason."""
