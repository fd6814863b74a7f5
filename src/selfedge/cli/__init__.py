"""What a person types. Imports are late: `selfedge --help` has a time budget."""

import sys


def main() -> None:
    """Run the command line; the exit code says whose fault a failure is."""
    from selfedge.cli.app import run  # noqa: PLC0415 - nothing to import if it fails

    sys.exit(run(sys.argv[1:]))
