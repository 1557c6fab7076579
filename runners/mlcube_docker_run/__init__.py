"""Configures and runs an MLCube on Docker."""
