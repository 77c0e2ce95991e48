"""Who you are: members, and the logins of those who work here."""
