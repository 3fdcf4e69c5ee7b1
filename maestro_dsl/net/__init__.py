"""HTTP client and HTTP serving."""
