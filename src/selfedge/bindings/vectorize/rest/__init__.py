"""What the control API says: JSON ↔ values."""
