"""Measurements, which are started by hand: none of them is a test."""
