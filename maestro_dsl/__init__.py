"""Declarative pipelines for AI developer teams."""

__version__ = "0.1.0"
