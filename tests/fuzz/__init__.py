"""Reads mutations of valid files, and looks at what the readers say of them."""
