"""Probe cubes: small cubes that write down what a runner gives them."""
