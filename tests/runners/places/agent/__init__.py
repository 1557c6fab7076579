"""Tests of what answers on another host."""
