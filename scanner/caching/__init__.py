"""What a service keeps so as not to work it out again: where, under which key, and for how long."""
