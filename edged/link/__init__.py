"""The line to the provider."""
