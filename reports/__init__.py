"""How the result of a scan is shown: each module turns a `ScanResult` into one form of report."""
