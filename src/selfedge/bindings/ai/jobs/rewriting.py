"""Rewriting: a text in, its translation or its summary out."""

import msgspec


class RewriteText(msgspec.Struct, frozen=True, kw_only=True, tag="rewrite-text"):
    """Write a text again, in another language or shorter."""

    text: str
    source_lang: str | None = None
    target_lang: str | None = None
    max_tokens: int
    beams: int = 0  # 0: as the model itself wants


class Rewritten(msgspec.Struct, frozen=True, tag="rewritten"):
    """The only part."""

    text: str
