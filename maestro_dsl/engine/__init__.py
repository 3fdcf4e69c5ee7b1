"""Plan to events to state: the interpreter, its policies and the ports that adapters fill."""
