"""How likely is a member to buy nothing in the next H days, and what speaks for it? See ``forecast``."""
