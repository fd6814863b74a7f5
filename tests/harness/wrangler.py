"""Unmodified wrangler from npm, pointed at a node and at nothing else."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from selfedge.client.address import Address
from selfedge.packages import cache, npm

VERSION = "4.164.0"
NODE_MAJOR = 24  # it wants 22.12
TIMEOUT_S = 60.0
SCRATCH = Path(__file__).parents[2] / "benchmarks" / ".scratch"


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    text: str  # stdout and stderr


@dataclass(frozen=True, slots=True)
class Wrangler:
    """Runs commands in a folder of its own."""

    script: Path
    folder: Path

    @classmethod
    def installed(cls, folder: Path) -> "Wrangler":
        """Return it; benchmarks use the same installation."""
        place = cache.ensure(
            SCRATCH / f"wrangler-{VERSION}",
            lambda at: npm.npm_install(at, [f"wrangler@{VERSION}"]),
        )
        script = place / "node_modules" / "wrangler" / "bin" / "wrangler.js"
        return cls(script, folder)

    def __call__(
        self, address: Address, *arguments: str, given: str | None = None
    ) -> Done:
        """Run a command; `given` is its standard input."""
        done = subprocess.run(
            [*npm.node(NODE_MAJOR), str(self.script), *arguments],
            cwd=self.folder,
            env=self.environment(address),
            input=given or "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def start(self, address: Address, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that goes on until it is stopped."""
        return subprocess.Popen(
            [*npm.node(NODE_MAJOR), str(self.script), *arguments],
            cwd=self.folder,
            env=self.environment(address),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def environment(self, address: Address) -> dict[str, str]:
        """Return what wrangler is told of `address`, and of nothing else."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CLOUDFLARE_", "CF_", "WRANGLER_"))
        }
        return {
            **kept,
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
            "CI": "1",
            "NO_COLOR": "1",
            "WRANGLER_SEND_METRICS": "false",
            "WRANGLER_SEND_ERROR_REPORTS": "false",
            "WRANGLER_HIDE_BANNER": "true",
            "CLOUDFLARE_API_BASE_URL": address.url,
            "CLOUDFLARE_API_TOKEN": address.token,
            "CLOUDFLARE_ACCOUNT_ID": address.account,
        }
