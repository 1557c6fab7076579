"""Helpers that know nothing of MLCube."""
