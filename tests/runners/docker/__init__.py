"""Tests of the runner for Docker."""
