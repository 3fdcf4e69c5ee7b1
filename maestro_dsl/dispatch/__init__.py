"""Carries attempts out of the process of the run. What an attempt does there is the same."""
