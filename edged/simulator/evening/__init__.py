"""An evening with the unmodified daemon, set up, played and observed from outside."""
