"""What is sold: products, variants, prices, stock, and card keys that nobody reads in passing."""
