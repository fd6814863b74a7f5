"""The dashboard: pages in a browser that call the node's own API."""
