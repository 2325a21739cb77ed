"""What keeps our own voice out of what is sent: near and far samples in, clean ones out."""
