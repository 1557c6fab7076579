"""Tests whether a packaged ML workload works where it claims to work."""

__version__ = "0.1.0"
