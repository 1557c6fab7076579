"""Is this cube sound on this platform?"""
