"""Workspace to plan: expansion, edges, waves, estimates. Pure; no files, no clock."""
