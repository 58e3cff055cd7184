"""Circuit breakers: those of libraries, hand-written ones, and meshes that act as one."""
