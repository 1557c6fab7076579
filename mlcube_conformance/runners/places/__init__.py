"""Other machines, where our own command line runs cubes."""
