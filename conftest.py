"""Makes the package `tests` importable from anywhere in the checkout.

What `--cube` and the like do comes with the installed plugin, not from here.
"""
