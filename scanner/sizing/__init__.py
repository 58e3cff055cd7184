"""Whether what a workload starts fits what it may use."""
