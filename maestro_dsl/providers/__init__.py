"""Model providers: sources of answers behind the port `engine.ports.Provider`, and their prices."""
