"""State on disk: journal, artifacts, locks, and the output folder."""
