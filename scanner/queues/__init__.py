"""Queues of tasks: what waits in them, who reads them, and who notices when nobody does."""
