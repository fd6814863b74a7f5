"""`python -m selfedge`."""

from selfedge.cli import main

main()
