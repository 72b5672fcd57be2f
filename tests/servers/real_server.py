"""Real inference servers, each in a process group of its own on a free port of this machine.

`make test-servers` installs each server in an environment of its own below `.make/servers/`. A server ends with the
block that started it, and also if the tests are killed.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.paths import ROOT
from tests.support.run_helpers import until

__all__ = ["KINDS", "LLAMA_CPP", "TRANSFORMERS", "Kind", "RealServer", "make_model", "running"]

ENVIRONMENTS: Final = ROOT / ".make" / "servers"
MODELS: Final = Path(__file__).parent / "models"
READY_WITHIN_S: Final = 120.0
"""Importing torch from a cold disk takes most of a minute."""
MODEL_WITHIN_S: Final = 120.0

_PR_SET_PDEATHSIG: Final = 1
_ADDRESS: Final = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Kind:
    """A kind of server.

    `environment`: the folder of its environment. `maker`: the script that makes its model. `model`: the model's file or
    folder, which is also its name in requests. `command`: the command after the environment's `bin/`; the model's name
    follows. `terminal`: it sends [DONE]. `usage`: it reports token counts in streams.
    """

    name: str
    environment: str
    maker: str
    model: str
    command: tuple[str, ...]
    terminal: bool
    usage: bool

    @property
    def bin(self) -> Path:
        return ENVIRONMENTS / self.environment / "bin"


TRANSFORMERS: Final = Kind(
    "transformers serve",
    "transformers",
    "llama_for_transformers.py",
    "tiny-llama",
    ("transformers", "serve", "--host", "127.0.0.1", "--port", "0", "--device", "cpu"),
    terminal=False,
    usage=True,
)
LLAMA_CPP: Final = Kind(
    "llama_cpp.server",
    "llama-cpp",
    "gguf_for_llama_cpp.py",
    "tiny.gguf",
    ("python", "-P", "-m", "llama_cpp.server", "--host", "127.0.0.1", "--port", "0", "--n_ctx", "8192", "--model"),
    terminal=True,
    usage=False,
)
KINDS: Final = (TRANSFORMERS, LLAMA_CPP)


def environment() -> dict[str, str]:
    """The environment of a server and of a maker: without a network."""
    return {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}


def make_model(kind: Kind, folder: Path) -> None:
    """Makes the tiny model of a server in `folder`."""
    python = kind.bin / "python"
    assert python.is_file(), f"{kind.name} is not installed: run `make test-servers`"
    done = subprocess.run(
        [python, MODELS / kind.maker, folder / kind.model],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=MODEL_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


class RealServer:
    """A running server."""

    def __init__(self, kind: Kind, process: subprocess.Popen[bytes], log: Path) -> None:
        self.kind, self.log = kind, log
        self.url = ""
        self._process = process

    @property
    def model(self) -> str:
        """The model's name in requests."""
        return self.kind.model

    @property
    def said(self) -> str:
        """The server's log."""
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """Kills the server and everything that it started, and waits for its end."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=20)

    def wait_until_ready(self) -> None:
        """Waits until it lists its model. Fails with the end of its log."""
        began_s = time.monotonic()
        try:
            until(self._answers, f"{self.kind.name}: ready", READY_WITHIN_S)
        except AssertionError as error:
            waited_s = time.monotonic() - began_s
            raise AssertionError(f"{error} (waited {waited_s:.0f} s); its log:\n{self.said[-3000:]}") from None

    def _answers(self) -> bool:
        status = self._process.poll()
        if status is not None:
            raise AssertionError(f"{self.kind.name} ended with status {status}")
        found = _ADDRESS.search(self.said)
        if found is None:
            return False
        self.url = found[1]
        try:
            with urllib.request.urlopen(f"{self.url}/v1/models", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def running(kind: Kind, folder: Path, log: Path, *more: str) -> Iterator[RealServer]:
    """A server with the model in `folder`, ready to answer. `more`: further arguments of its command."""
    words: Sequence[str | Path] = (kind.bin / kind.command[0], *kind.command[1:], kind.model, *more)
    parent = os.getpid()

    def before_exec() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=before_exec,
        )
    server = RealServer(kind, process, log)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.kill()
