"""How submissions are graded: mending, sandbox, checker, pool, reports."""
