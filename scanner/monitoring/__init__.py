"""What watches each service, and whether it reaches anybody."""
