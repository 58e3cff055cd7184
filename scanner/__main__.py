"""`python -m assay.scanner` is `assay`."""

from assay.scanner.cli import main

main()
