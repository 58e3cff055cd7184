"""How fast Assay is, beside other tools: a generator of backends, and a command that measures and compares."""
