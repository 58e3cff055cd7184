"""What handlers change: rows, sessions, mails, tasks, other services; and what of it leaves an audit record."""
