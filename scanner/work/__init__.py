"""Work outside requests: what the modules of task queues and schedulers share."""
