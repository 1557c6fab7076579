"""What a run found, and the reports that read it."""
