"""Owns the way from a program to the server, shared with the worker: points, batches, spool, delivery. Standard library only."""
