"""The connections of a service to its databases, and how they are set up."""
