"""Judges what was produced against its contract: five checks and one score. Runs nothing by itself."""
