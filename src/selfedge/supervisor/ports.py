"""Which process listens on a port, as far as /proc tells."""

from pathlib import Path

_LISTEN = "0A"


def owner_of_port(port: int, proc: Path = Path("/proc")) -> str | None:
    """Return "python (pid 4711)" for who listens on TCP `port`, if it can be told."""
    inodes = _listening_inodes(port, proc)
    if not inodes:
        return None
    for process in proc.glob("[0-9]*"):
        if inodes & socket_inodes(process):
            return f"{_name(process)} (pid {process.name})"
    return None


def _listening_inodes(port: int, proc: Path) -> set[str]:
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    return inodes


def socket_inodes(process: Path) -> set[str]:
    """Return the names of the sockets of a process, by its folder in /proc."""
    try:
        links = list((process / "fd").iterdir())
    except OSError:  # another user's process, or gone
        return set()
    return {target for link in links if (target := _target(link)) is not None}


def _target(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except OSError:  # closed meanwhile
        return None


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"
