"""The clauses of runners, tested with probe cubes."""
