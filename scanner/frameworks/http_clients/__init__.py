"""HTTP clients: the requests that a service sends."""
