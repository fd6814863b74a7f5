"""What routes of the control API share: pages of lists, and bodies."""
