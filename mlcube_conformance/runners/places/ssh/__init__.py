"""Reaches other machines over SSH."""
