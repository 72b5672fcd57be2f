from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from loadprofiles.sessions.profile import Profile
from loadprofiles.sessions.profile_file import load_profile, profile_names


@pytest.mark.parametrize("name", profile_names())
def test_a_resolved_profile_survives_json(name: str) -> None:
    profile = load_profile(name)
    assert msgspec.json.decode(msgspec.json.encode(profile), type=Profile) == profile


@pytest.mark.parametrize("broken", [b'{"name": "x"}', b"{}", b'{"name": "x", "arrivals": {"spike": {}}}'])
def test_an_incomplete_profile_is_rejected(broken: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(broken, type=Profile)


def test_the_session_model_imports_no_heavy_package() -> None:
    program = (
        "import sys, loadprofiles.sessions.conversation, loadprofiles.replay\n"
        "heavy = {'pydantic', 'duckdb', 'scipy', 'numpy', 'bokeh', 'jinja2', 'yaml', 'gevent', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
