"""Who supplies: merchants, their fee, and the logins of their staff."""
