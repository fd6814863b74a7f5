"""What R2's routes of the control API say and hear."""
