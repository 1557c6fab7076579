"""The clauses that a runner is held to, by what it makes of probe cubes."""
