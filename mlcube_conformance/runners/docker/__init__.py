"""Runs cubes on Docker, and on Podman by Docker's interface."""
