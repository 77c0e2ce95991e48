"""Settings, urls, and how the processes start."""
