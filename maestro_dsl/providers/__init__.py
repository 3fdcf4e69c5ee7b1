"""Model providers: sources of answers behind the port `engine.ports.models.Provider`, and their prices."""
