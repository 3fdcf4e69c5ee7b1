"""Text to documents with positions: the only package that reads the YAML language."""
