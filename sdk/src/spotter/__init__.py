"""The package of own training scripts: metrics, files and checkpoints to a Spotter server. Standard library only."""
