"""Configures and runs an MLCube as a process of this machine."""
