"""What runs tasks, and how it is configured: limits of time, serializers, retries."""
