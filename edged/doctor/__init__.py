"""What `edged doctor` looks at: one check a file."""
