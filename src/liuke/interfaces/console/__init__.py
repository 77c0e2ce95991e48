"""The operator's door: who stays, who is leaving, who is overdue."""
