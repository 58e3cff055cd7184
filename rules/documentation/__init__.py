"""Documentation: what operating the service takes is written down."""
