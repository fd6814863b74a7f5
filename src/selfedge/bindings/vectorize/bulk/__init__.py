"""Files of vectors, one JSON object on each line, and what commands are given."""
