"""A Realtime server, a room and GPIO pins made of software."""
