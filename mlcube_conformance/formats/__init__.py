"""Reads the files of a cube and of a platform into the model."""
