"""Who owns what: accounts, entries, reservations; money and points in one book."""
