"""Two versions of an OpenAPI description compared: what breaks, what may break, what is safe."""
