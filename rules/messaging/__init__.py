"""Message queues: how messages are sent, handled, retried and watched."""
