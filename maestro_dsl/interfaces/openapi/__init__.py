"""OpenAPI 3.0 and 3.1: one model read once, from which mock, sample data and verification are made."""
