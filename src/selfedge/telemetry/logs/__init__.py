"""Events of Workers, kept on disk: `files` knows where, `store` appends, `query` finds.

A line is an event as listeners get it, with an `id` that grows and the `time` at which
it was kept, in milliseconds.
"""
