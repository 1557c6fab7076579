"""Runs cubes as processes of this machine."""
