"""The clauses that a runner is tested against, by what it makes of probe cubes."""
