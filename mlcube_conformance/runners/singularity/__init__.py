"""Runs cubes on Singularity and Apptainer."""
