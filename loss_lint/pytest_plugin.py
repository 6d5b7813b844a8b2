"""`pytest --loss-watch`: every test is watched, and what its losses show is told at the end.

This module is loaded by every pytest of an environment that loss-lint is installed in: it imports nothing that costs
time until it is asked to watch.
"""
