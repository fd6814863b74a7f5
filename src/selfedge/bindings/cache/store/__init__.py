"""Cached responses: recent ones in memory, all of them on disk, least used go."""
