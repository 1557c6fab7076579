"""Reads a Dockerfile and its .dockerignore."""
