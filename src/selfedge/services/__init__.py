"""The stateful services, on one socket for each group of Workers."""
