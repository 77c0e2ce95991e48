"""What we say: plans, the one gate every message passes, channels, and whether it helped."""
