"""Interfaces of code and data: JSON Schema, Python protocols, TypeScript declarations; stubs and checks."""
