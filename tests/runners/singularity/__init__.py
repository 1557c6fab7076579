"""Tests of the runner for Singularity."""
