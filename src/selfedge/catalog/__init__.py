"""What a node of `serve` has been told to run: accounts, Workers, versions, routes.

`model` says what there is, `store` keeps it on disk: one JSON document with a revision
number, and beside it immutable files for versions, modules, assets and secrets.
"""
