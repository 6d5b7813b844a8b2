"""Repairs carried out: which fixes go together, what a file's bytes become, and how these reach the disk."""
