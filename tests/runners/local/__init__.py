"""Tests of the runner for this machine."""
