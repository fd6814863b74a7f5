"""One database: a SQLite file, its threads, its bookmarks and its snapshots."""
