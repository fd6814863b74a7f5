"""Text generation by llama.cpp, through xllamacpp.

`runner.py` loads and calls it, `request.py` writes what it takes, `reply.py` reads what
it says, `tools.py` lets models call tools whose chat template knows of none.
"""
