"""What a repository begins with: the files that `assay init` writes."""
