"""The offline provider: real deliverables from a contract's interface, written by templates and no model."""
