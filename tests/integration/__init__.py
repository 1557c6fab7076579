"""Tests on real platforms."""
