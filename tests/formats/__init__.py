"""Tests of how the files of cubes are read."""
