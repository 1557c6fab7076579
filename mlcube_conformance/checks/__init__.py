"""The checks: each takes observations and returns findings."""
