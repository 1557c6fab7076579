"""Configures and runs an MLCube on Singularity or Apptainer."""
