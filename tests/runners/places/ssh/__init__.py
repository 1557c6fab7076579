"""Tests of hosts over SSH."""
