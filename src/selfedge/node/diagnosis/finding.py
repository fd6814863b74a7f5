"""What a check says."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing: "warn" is worse than it could be, "bad" stops."""

    check: str
    state: Literal["ok", "warn", "bad"]
    found: str
    remedy: str = ""
