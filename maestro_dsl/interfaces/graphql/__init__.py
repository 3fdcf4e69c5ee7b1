"""GraphQL schemas: read, mocked in process and as an Apollo server, and held against running providers."""
