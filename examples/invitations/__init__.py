"""Teams whose members invite others: sign-up by invitation only, with a role and a team as metadata."""
