"""The model host: a child process in which all inference happens.

A crash in native code ends this process only. The service holds one end of a socket
pair, the control socket; for calls it makes further pairs and hands one end over, so
there is no name on disk that anybody else could connect to, or that stays behind.

`process.py` is the service's side, `serving.py` the child's, `frames.py` what they say.
"""
