"""Uploads in parts."""

from selfedge.bindings.r2.multipart.uploads import Uploads

__all__ = ["Uploads"]
