"""What is done and seen on the appliance itself; needs nothing but Python."""
