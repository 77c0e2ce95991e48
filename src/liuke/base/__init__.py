"""What every room stands on: errors, money, clock, chance, ids, sealing, jobs, audit. No tables, no views."""
