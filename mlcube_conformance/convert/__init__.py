"""From one format of a cube to another."""
