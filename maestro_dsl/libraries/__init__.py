"""Shared libraries: where they come from, which versions fit together, the lock, and what is installed.

`lang.shelves` reads what is pinned and in its place; everything that fetches, chooses, writes or compares
digests is here. Resolving loads when a command needs it.
"""
