"""The suite that tests cubes."""
