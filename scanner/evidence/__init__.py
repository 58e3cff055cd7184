"""What was measured: coverage, test results, latencies, read from the files that other tools write."""
