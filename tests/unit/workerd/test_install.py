"""Which engine fits this machine."""

import pytest

from selfedge.errors import PlatformError
from selfedge.workerd.install import check_platform


def test_known_platforms_have_packages():
    assert check_platform("Linux", "x86_64", ("glibc", "2.36")) == (
        "workerd-linux-64",
        "linux-x64",
    )
    assert check_platform("Darwin", "arm64", ("", ""))[0] == "workerd-darwin-arm64"


@pytest.mark.parametrize(
    ("system", "machine", "libc", "words"),
    [
        ("Windows", "AMD64", ("", ""), "not published for Windows AMD64"),
        ("Linux", "riscv64", ("glibc", "2.39"), "not published for Linux riscv64"),
        ("Linux", "x86_64", ("glibc", "2.31"), "glibc 2.35 or newer.*has glibc 2.31"),
        ("Linux", "x86_64", ("", ""), "has another C library"),
    ],
)
def test_others_get_one_clear_sentence(system, machine, libc, words):
    with pytest.raises(PlatformError, match=words) as caught:
        check_platform(system, machine, libc)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
