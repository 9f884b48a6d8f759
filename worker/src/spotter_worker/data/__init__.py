"""Reads images and labels from their sources and splits them by seed."""
