"""The simulated provider from the inside: how it takes events, hears speech and answers."""
