"""The record, and the reports that read it."""
