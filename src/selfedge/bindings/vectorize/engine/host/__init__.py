"""Shards in child processes, one each: a crash in native code ends that one only.

Each call of the engine holds its interpreter's lock, some for minutes; in a process
of its own it holds up nobody else. The parent holds one end of each of a few socket
pairs, so there is no name on disk that anybody else could connect to.

`engine.py` is the parent's side, `serving.py` the child's, `frames.py` what they say.
"""
