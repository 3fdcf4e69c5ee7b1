"""What the engine asks of the world: Protocols and the records that cross them.

Records are frozen, JSON-able through `maestro_dsl.codec`, and name content by SHA-256 digest, so that an
attempt can be carried to another machine. Adapters live in `providers`, `storage`, `sandbox`, `validation`,
`tickets`, `reporters` and `actions`; they are wired in `maestro_dsl.app` only.
"""
