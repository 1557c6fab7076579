"""The suite that tests a runner."""
