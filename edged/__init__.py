"""edged: a headless smart speaker for the Raspberry Pi."""
