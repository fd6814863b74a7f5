"""Databases as SQL text: exports, imports, and the URLs that carry them."""
