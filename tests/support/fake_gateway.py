"""An adapter of a gateway that does not exist, and fake tools on the PATH that install it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from targets.adapters.base import Adapter, Debian, Install, Installation, Site, Upstream

__all__ = ["FakeGateway", "debian_tools", "fake_tool", "only_these_tools", "site"]

PROGRAM = "#!/bin/sh\necho fakegate version ${FAKEGATE:-1.0}\n"


class FakeGateway(Adapter):
    """By default a package of Debian. `requires` makes an adapter with another kind of installation."""

    name: ClassVar[str] = "fakegate"
    title: ClassVar[str] = "a gateway of the tests"
    version: ClassVar[str] = "1.0"
    docs: ClassVar[str] = "https://example.com/"
    license: ClassVar[str] = "MIT"
    size_mb: ClassVar[int] = 1
    install: ClassVar[Install] = Debian(("fakegate-light",))
    program: ClassVar[str] = "usr/sbin/fakegate"
    presets: ClassVar[Mapping[str, str]] = {"default": "as it comes", "tuned": "better"}
    apis: ClassVar[frozenset[str]] = frozenset({"openai"})
    ready_within_s: ClassVar[float] = 1.0

    def files(self, site: Site) -> Mapping[str, str]:
        return {}

    def command(self, site: Site, installed: Installation) -> Sequence[str]:
        return [str(installed.program)]

    def version_in(self, output: str) -> str | None:
        return output.split()[-1] if "fakegate version" in output else None

    @classmethod
    def requires(cls, install: Install, program: str) -> FakeGateway:
        values: dict[str, Any] = {"install": install, "program": program}
        made: FakeGateway = type("OtherFakeGateway", (cls,), values)()
        return made


def site(folder: Path, preset: str, *, as_root: bool = False) -> Site:
    """Two replicas behind a gateway."""
    upstreams = (
        Upstream("tpu-0", "http://127.0.0.1:18101", "tpu"),
        Upstream("gpu-0", "http://127.0.0.1:18102", "gpu"),
    )
    return Site(upstreams, 4000, 4001, folder, "llama-3.1-8b", preset, as_root=as_root)


def fake_tool(folder: Path, name: str, script: str) -> Path:
    """Write a shell script, as a tool in `folder`, which only_these_tools puts on the PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def only_these_tools(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The PATH has the tools of `folder`, and those of the system that scripts need."""
    needed = folder / "system"
    needed.mkdir(parents=True, exist_ok=True)
    for name in ("sh", "mkdir", "cat", "chmod", "sleep", "touch", "echo"):
        (needed / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", f"{folder}:{needed}")


def debian_tools(folder: Path, *, candidate: str = "1.0", download: str = "") -> None:
    """apt-get, apt-cache and dpkg that install the fake gateway. They append their arguments to `folder/calls`."""
    calls = f'echo "$0 $@" >> {folder}/calls'
    fake_tool(folder, "apt-cache", f'{calls}\necho "  Candidate: {candidate}"')
    find = 'for word; do case $word in Dir::Cache::archives=*) to=${word#*=};; esac; done; touch "$to/fakegate.deb"'
    fake_tool(folder, "apt-get", f"{calls}\n{download}\n{find}")
    unpack = f"""mkdir -p "$3/usr/sbin" "$3/usr/lib/{sys.platform}-linux-gnu"
cat > "$3/usr/sbin/fakegate" <<'END'
{PROGRAM}END
chmod +x "$3/usr/sbin/fakegate"
touch "$3/usr/lib/{sys.platform}-linux-gnu/libfake.so.1\""""
    fake_tool(folder, "dpkg", f"{calls}\n{unpack}")
