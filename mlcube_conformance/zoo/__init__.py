"""Deliberately broken cubes, each with a sound one beside it."""
