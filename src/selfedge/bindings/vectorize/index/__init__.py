"""One index on disk: its description, its shard, and the write in progress."""
