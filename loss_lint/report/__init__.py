"""Findings as text, one module for each output format."""
