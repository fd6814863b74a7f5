"""The kinds of documents, by media type and by the end of their name."""

from collections.abc import Mapping

KINDS: Mapping[str, tuple[str, str]] = {
    "application/pdf": (".pdf", "pdf"),
    "application/vnd.ms-excel.sheet.macroenabled.12": (".xlsm", "xlsx"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (
        ".xlsx",
        "xlsx",
    ),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (
        ".docx",
        "docx",
    ),
    "image/gif": (".gif", "picture"),
    "image/jpeg": (".jpg", "picture"),
    "image/png": (".png", "picture"),
    "image/webp": (".webp", "picture"),
    "text/csv": (".csv", "csv"),
    "text/html": (".html", "html"),
}
"""Media type → (usual end of a name, kind)."""

_ENDS: Mapping[str, str] = {
    **dict(KINDS.values()),
    ".htm": "html",
    ".jpeg": "picture",
}


def kind(name: str, media_type: str) -> str | None:
    """Return the kind of a file, or None; the name counts where the type is vague."""
    plain = media_type.partition(";")[0].strip().lower()
    if found := KINDS.get(plain):
        return found[1]
    if plain in ("", "application/octet-stream", "application/zip"):
        return _ENDS.get("." + name.rpartition(".")[2].lower())
    return None
