"""Finds what is wrong with the files of a cube, without a run and without an engine."""
