"""The modules that know pytest."""
