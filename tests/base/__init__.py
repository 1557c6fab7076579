"""Tests of what knows nothing of MLCube."""
