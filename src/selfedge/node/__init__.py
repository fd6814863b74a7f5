"""The composition roots: each builds every object of a node, in one readable file.

`dev` runs a project's Workers, `serve` what was deployed. `signals` ends both.
"""
