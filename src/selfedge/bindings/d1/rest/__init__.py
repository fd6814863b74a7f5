"""What the control API says of databases. Pure."""
