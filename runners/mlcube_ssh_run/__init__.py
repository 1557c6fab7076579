"""Configures and runs an MLCube on another host, by SSH."""
