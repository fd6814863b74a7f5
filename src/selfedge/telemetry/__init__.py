"""What is told and counted of Workers.

`event` shapes, hides and filters what the engine and the edge report, `hub` passes it
to those who listen, `logs` keeps it. `counts` is what an isolate counted, `ledger` what
the node counted since it started, `snapshot` all figures at a moment, and `metrics`
declares every one of them.
"""
