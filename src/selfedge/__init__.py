"""selfedge runs unmodified Cloudflare Workers on your own machine.

Rooms, top to bottom; each may import only those below it:

cli          what a person types
node         builds every object, for `dev`
supervisor   starts, watches, releases and stops engine processes
standard     names all bindings | compiler: Workers → engine configs, pure
bindings     one folder per binding; none knows another
binding      the contract that a binding fulfils
manifest     the wrangler file | bundle | storage | workerd | edge
packages     what is fetched from package registries into the user's cache
settings     what a user may choose
errors       | types
"""

__version__ = "0.1.0"
