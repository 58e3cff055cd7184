"""What people said of findings: waivers, comments in the code, attestations; and what that does to a result."""
