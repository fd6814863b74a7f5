"""The dashboard in a browser; one node and one browser for all of it."""
