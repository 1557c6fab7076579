"""Looks into documents that a task wrote, in a process of its own with limits."""
