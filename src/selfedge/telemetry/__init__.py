"""What is told of Workers' invocations.

`event` shapes, hides and filters what the engine and the edge report, `hub` passes it
to those who listen.
"""
