"""The decisions, pure: events with a time go in, commands come out."""
