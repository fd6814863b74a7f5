"""Answers of the API as responses, and the headers that all of them have."""

from collections.abc import Mapping

from aiohttp import web

SECURITY: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""No answer is a page: what it holds is shown, run, framed and kept nowhere."""


def envelope_response(
    status: int, envelope: bytes, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return an envelope as a response."""
    return web.Response(
        status=status,
        body=envelope,
        content_type="application/json",
        headers=headers,
    )
