"""SQL as text: where statements end, and what kind they are. Pure."""
