"""What one process or machine keeps to itself, so that instances of a service are not interchangeable."""
