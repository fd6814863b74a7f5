"""What keeps and searches vectors, behind a contract."""
