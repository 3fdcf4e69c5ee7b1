"""One folder a kind of interface: parse, sample data, mock, verification."""
