"""Owns the look at a training before it starts: data, memory, first loss, learning rate, time. Nothing here trains a run."""
