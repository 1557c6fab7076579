"""What knows nothing of MLCube."""
