"""selfedge runs unmodified Cloudflare Workers on your own machine.

Rooms, top to bottom; each may import only those below it:

cli          what a person types
node         builds every object, for `dev`
control      the Cloudflare API v4, for wrangler and SDKs
supervisor   starts, watches, releases and stops engine processes
services     the server that routes binding calls to the bindings' services
standard     names all bindings | compiler: Workers → engine configs, pure
bindings     one folder per binding; none knows another
binding      the contract that a binding fulfils
edge         what stands before a Worker
bundle       TypeScript to modules
manifest     the wrangler file | storage | workerd
packages     what is fetched from package registries into the user's cache
settings     what a user may choose
errors       | types
"""

__version__ = "0.1.0"
