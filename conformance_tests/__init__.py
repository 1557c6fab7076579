"""The clauses that any cube is tested against, as tests."""
