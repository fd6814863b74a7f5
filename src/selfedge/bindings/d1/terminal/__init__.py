"""What the commands do with a node, and with the user's files."""
