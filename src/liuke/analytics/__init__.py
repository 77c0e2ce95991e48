"""What it means: purchases, member facts, RFM, life-cycle, cohorts, warnings."""
