"""One reader per kind of file: bytes in, plain serialisable facts out. Facts depend on the bytes alone."""
