"""Routes of Workers: upload and deploy, list, read, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from selfedge.api.body import read_bytes
from selfedge.api.paging import numbered
from selfedge.binding import Call, Page, Route
from selfedge.catalog.scripts import (
    account_of,
    script_of,
    without_script,
)
from selfedge.control.workers.limits import UPLOAD_MAX_BYTES
from selfedge.control.workers.metadata import check_name
from selfedge.control.workers.modules import CONTENT_TYPES
from selfedge.control.workers.multipart import form
from selfedge.control.workers.problem import (
    IN_USE,
    conflict,
)
from selfedge.control.workers.references import users_of
from selfedge.control.workers.shown import ENVIRONMENT, script_shown, version_shown
from selfedge.control.workers.upload import Upload, read_upload
from selfedge.control.workers.uploads import Uploads
from selfedge.control.workers.workers import Workers

SCRIPTS = "/accounts/{account}/workers/scripts"
SCRIPT = f"{SCRIPTS}/{{script}}"
_ORDERS = {one: one for one in ("created_on", "modified_on", "name")}


@dataclass(frozen=True, slots=True)
class Scripts:
    """What can be done with a Worker as a whole."""

    workers: Workers
    uploads: Uploads

    def routes(self) -> Sequence[Route]:
        """Return its routes."""
        return [
            Route(method="GET", path=SCRIPTS, answer=self._list),
            Route(method="GET", path=f"{SCRIPTS}-search", answer=self._search),
            Route(method="GET", path=SCRIPT, answer=self._source),
            Route(method="PUT", path=SCRIPT, answer=self._put),
            Route(method="DELETE", path=SCRIPT, answer=self.delete),
            Route(method="POST", path=f"{SCRIPT}/versions", answer=self._upload),
            Route(method="GET", path=f"{SCRIPT}/content", answer=self._source),
            Route(method="PUT", path=f"{SCRIPT}/content", answer=self._put_content),
            Route(method="GET", path=f"{SCRIPT}/content/v2", answer=self._content),
        ]

    async def _list(self, call: Call) -> Page:
        account = account_of(self.workers.catalog.state, call.account)
        shown = [
            script_shown(script, self.workers.live(script))
            for _, script in sorted(account.scripts.items())
        ]
        return numbered(shown, call.query, default=1000)

    async def _search(self, call: Call) -> Page:
        account = account_of(self.workers.catalog.state, call.account)
        name, tag = call.query.get("name", ""), call.query.get("id")
        order = _ORDERS.get(call.query.get("order_by", ""), "name")
        found = [
            one
            for one in account.scripts.values()
            if name in one.name and tag in {None, one.tag}
        ]
        shown = [
            {
                "id": one.tag,
                "script_name": one.name,
                "service_name": one.name,
                "environment_name": ENVIRONMENT,
                "environment_is_default": True,
                "created_on": one.created_on,
                "modified_on": one.modified_on,
            }
            for one in sorted(found, key=lambda one: (getattr(one, order), one.name))
        ]
        return numbered(shown, call.query)

    async def _put(self, call: Call) -> Mapping[str, Any]:
        check_name(call.path["script"])
        script, version = await self.uploads.deploy(call, await self._read(call))
        return {**script_shown(script, version), "deployment_id": version.id}

    async def _put_content(self, call: Call) -> Mapping[str, Any]:
        self.workers.script(call)
        upload = await self._read(call)
        script, version = await self.uploads.replace_code(call, upload)
        return script_shown(script, version)

    async def _upload(self, call: Call) -> Mapping[str, Any]:
        self.workers.script(call)
        return version_shown(await self.uploads.add(call, await self._read(call)))

    async def delete(self, call: Call) -> None:
        """Delete a Worker; one that others use only if the call forces it."""
        name = call.path["script"]
        async with self.workers.turn(call):
            script_of(self.workers.catalog.state, call.account, name)
            users = users_of(self.workers, call.account, name)
            if users and call.query.get("force") != "true":
                raise conflict(
                    f"{name} is in use by {', '.join(users)}. Remove it from them "
                    "first, or delete it by force, after which their calls fail.",
                    IN_USE,
                )
            await self.workers.catalog.change(
                lambda state: without_script(state, call.account, name)
            )
            await self.workers.fleet.apply(call.account, name)
            await self.workers.fleet.forget(call.account, name)
            await self.workers.fleet.route()

    async def _source(self, call: Call) -> web.Response:
        version = self.workers.shown_version(call)
        if not version.modules:
            return web.Response(status=204)
        main = version.modules[0]
        return web.Response(
            body=await self.workers.catalog.blob(main.sha256),
            content_type=CONTENT_TYPES[main.type],
        )

    async def _content(self, call: Call) -> web.Response:
        version = self.workers.shown_version(call)
        parts = {
            module.name: (
                CONTENT_TYPES[module.type],
                await self.workers.catalog.blob(module.sha256),
            )
            for module in version.modules
        }
        kind, body = form(parts)
        headers = {"Content-Type": kind, "cf-entrypoint": version.main_module or ""}
        return web.Response(body=body, headers=headers)

    async def _read(self, call: Call) -> Upload:
        body = await read_bytes(call, most_bytes=UPLOAD_MAX_BYTES)
        kind = call.request.headers.get("Content-Type", "")
        return read_upload(kind, body, self.workers.today())
