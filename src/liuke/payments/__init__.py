"""How it was paid: gateways, payments, notices, refunds, and what a person has to look at."""
