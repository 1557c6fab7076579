"""Tests of the pytest suites."""
