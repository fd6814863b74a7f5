"""The front of a node of `serve`: one process that leads clients to their Workers.

`table` says what each host and path leads to, `config` is the engine's config for the
process, `pages` has what clients see when nothing answers, and `front.js` runs inside.
"""
