"""How it was handed over: keys out, work done by hand, acceptance, rejection, and the merchant's money."""
