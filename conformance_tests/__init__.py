"""The clauses that any cube is held to, as tests."""
