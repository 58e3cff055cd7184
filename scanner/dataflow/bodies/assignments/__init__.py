"""What is copied in bulk from bodies into objects that are stored."""
