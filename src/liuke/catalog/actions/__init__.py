"""What can be done to products and their stock."""
