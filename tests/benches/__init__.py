"""Benches: what edged promises, measured beside a bare loop in the same room and run."""
