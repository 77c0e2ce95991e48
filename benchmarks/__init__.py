"""Measurements beside a yardstick. `liuke bench` runs them, each in a process and on a database server of its own."""
