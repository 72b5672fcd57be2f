"""The fixture `brownout` of pytest: plays a gate in a test.

    def test_a_lost_pool_loses_no_session(brownout):
        brownout.run("lose-tpu-pool", stack="multi-cloud").assert_passed()

`--brownout-out DIR`, or `brownout_out` in the configuration of pytest: keeps results in DIR, a folder for each test.
Two tests never play at the same time on one machine, also not with pytest-xdist.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

import pytest

from brownout.client import run as play_gate
from brownout.errors import GateError
from brownout.machine_lock import machine_lock

if TYPE_CHECKING:
    from brownout.result import Result

__all__ = ["BrownoutFixture", "brownout", "pytest_addoption"]

P = ParamSpec("P")
R = TypeVar("R")

_OPTION: Final = "--brownout-out"
_INI: Final = "brownout_out"
_NAME_CHARACTERS: Final = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare where results are kept."""
    text = "Keep the results of brownout's gates in DIR/TEST. Default: below the test's tmp_path."
    parser.getgroup("brownout").addoption(_OPTION, metavar="DIR", default=None, help=text)
    parser.addini(_INI, f"as {_OPTION}; relative to the folder of the configuration file", default="")


def _signature_of(_: Callable[P, R]) -> Callable[[Callable[..., Any]], Callable[Concatenate[Any, P], R]]:
    """Give a method the signature of a function, for editors and type checkers."""
    return lambda method: method


class BrownoutFixture:
    """What the fixture is. `folder`: makes a new folder for a result."""

    def __init__(self, node_id: str, folder: Callable[[], Path]) -> None:
        self._node_id = node_id
        self._folder = folder

    @_signature_of(play_gate)
    def run(self, experiment: Any, **options: Any) -> Result:
        """As `brownout.run`: same options, same result. Wait while another test plays on this machine.

        `out`: by default a folder of the test. `on_output`: by default, lines are printed, so that pytest captures
        them and shows them where the test fails. Wrong options and a gate without a result fail the test.
        """
        __tracebackhide__ = True
        options.setdefault("on_output", print)
        if options.get("out") is None:
            options["out"] = self._folder()
        try:
            with machine_lock(self._node_id, print) as lock:
                return play_gate(experiment, **options, _keep_open=(lock,))
        except GateError as error:
            raise error.with_traceback(None) from None


@pytest.fixture
def brownout(request: pytest.FixtureRequest) -> BrownoutFixture:
    """Plays gates: `brownout.run("lose-tpu-pool", stack="multi-cloud").assert_passed()`."""
    made = 0

    def folder() -> Path:
        nonlocal made
        made += 1
        place = _kept(request.config, request.node.nodeid) or request.getfixturevalue("tmp_path") / "brownout"
        return place if made == 1 else place.with_name(f"{place.name}.{made}")

    return BrownoutFixture(request.node.nodeid, folder)


def _kept(config: pytest.Config, node_id: str) -> Path | None:
    """The folder of a test below the one of the option, or of the configuration; None without either."""
    if given := config.getoption(_OPTION):
        place = config.invocation_params.dir / given
    elif configured := config.getini(_INI):
        place = (config.inipath.parent if config.inipath else config.rootpath) / configured
    else:
        return None
    file, _, test = node_id.partition("::")
    folders = [_safe(part) for part in file.removesuffix(".py").split("/") if part not in ("", ".", "..")]
    return Path(place, *folders, _safe(test.replace("::", "-"), node_id))


def _safe(name: str, unique: str = "") -> str:
    """A name of a file, of about 100 characters at most. Where characters were lost, a digest tells it apart.

    `unique`: what the digest is of; the name itself without it.
    """
    plain = re.sub(r"\[(.*)\]$", r"-\1", name, flags=re.DOTALL)
    safe = re.sub(r"[^\w.-]+", "-", plain)[:_NAME_CHARACTERS].strip("-.")
    return safe if safe == plain else f"{safe}-{zlib.crc32((unique or name).encode()):08x}"
