"""What the rig builds and boots."""
