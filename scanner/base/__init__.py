"""What a scan is compared with: which commit that is, its tree out of git's objects, and the verdicts on it."""
