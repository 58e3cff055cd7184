"""What servers open when they start and close when they stop."""
