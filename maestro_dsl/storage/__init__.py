"""State on disk: journal, artifacts, checkpoints, locks, and the output folder."""
