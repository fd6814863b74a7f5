"""What routes of the control API share, and the answers of services."""
