"""How commands reach a running node: through its control API, like anybody else.

`address.locate` finds the node, `api.Api` calls it::

    api = Api(locate(Path.cwd(), os.environ))
    models = api.call("GET", "/accounts/{account}/ai/models/search")
    with api.open("POST", path, json={"prompt": "Hi", "stream": True}) as reply:
        for line in reply.lines():
            ...
"""
