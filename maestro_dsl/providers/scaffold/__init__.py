"""The offline provider: real deliverables from a contract's interface, written by templates and no model."""

from maestro_dsl.providers.scaffold.provider import ScaffoldProvider

__all__ = ["ScaffoldProvider"]
