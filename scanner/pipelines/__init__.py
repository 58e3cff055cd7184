"""What CI runs in the end, and what that shows: tests, gates of coverage, scans, load tests."""
