"""What was agreed: orders, their lines, and the price of each as it was shown."""
