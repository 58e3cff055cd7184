"""One module per framework or library: linked facts in, model entries out."""
