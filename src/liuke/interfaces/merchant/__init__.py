"""Pages of merchants: their own products, stock and card keys, and nobody else's."""
