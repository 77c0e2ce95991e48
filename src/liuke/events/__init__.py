"""What happened: one append-only log, and the dispatcher that tells the rooms above."""
