"""The shop: finding, buying, paying, and what becomes of an order. Works without a script, and without signing in."""
