"""The appliance: a machine with systemd, sound cards and GPIO lines, and edged installed on it."""
