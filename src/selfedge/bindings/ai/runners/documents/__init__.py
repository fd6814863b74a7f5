"""Documents → Markdown, each in a process of its own with little memory and time.

`formats.py` names what can be read, `runner.py` starts the processes, `convert.py`
is what runs in them; `pages.py`, `sheets.py`, `portable.py` and `picture.py` read.
"""
