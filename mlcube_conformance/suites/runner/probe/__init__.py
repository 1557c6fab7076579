"""Probe cubes: small cubes that record what a runner gives them."""
