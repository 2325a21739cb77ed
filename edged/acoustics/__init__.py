"""How a box hears itself: what is played to find out, what is measured, and what to do about it."""
