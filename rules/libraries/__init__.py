"""What libraries do with data: where untrusted values come from, where they do harm, what makes them harmless."""
