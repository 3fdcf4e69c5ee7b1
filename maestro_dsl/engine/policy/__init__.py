"""Policies decide, the interpreter acts: pure functions over counters, limits and times."""
