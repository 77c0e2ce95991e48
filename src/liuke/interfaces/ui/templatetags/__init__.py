"""Template tags; `liuke` is a builtin of every template."""
