"""Free ports for a run, and the process that uses a port."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.runner import ports
from chaos.runner.ports import check_free, free_ports, holder
from reports.shared.errors import UserError


def sysctl(folder: Path, low: int, high: int, reserved: str = "") -> Path:
    (folder / "ip_local_port_range").write_text(f"{low}\t{high}\n")
    (folder / "ip_local_reserved_ports").write_text(f"{reserved}\n")
    return folder


def test_ports_are_different_free_and_outside_the_ephemeral_range() -> None:
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    found = free_ports(40)
    assert len(set(found)) == 40
    assert not [port for port in found if low <= port <= high]
    for port in found:
        check_free(port)


def test_ports_are_in_random_order() -> None:
    assert free_ports(20) != free_ports(20)
    assert free_ports(20, random.Random(1)) != sorted(free_ports(20, random.Random(1)))


def test_a_port_claimed_by_another_process_is_free_again_after_its_exit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "from chaos.runner.ports import free_ports; print(*free_ports(2), flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with other:
        assert other.stdout is not None
        first, second = sorted(int(port) for port in other.stdout.readline().split())
        others = ",".join(str(port) for port in range(ports.LOWEST_PORT, 65_536) if port not in (first, second))
        monkeypatch.setattr(ports, "_SYSCTL", sysctl(tmp_path, 1, 2, others))
        with pytest.raises(UserError, match="2 free ports are needed and 0 were found"):
            free_ports(2)
        other.kill()
    assert sorted(free_ports(2)) == [first, second]


def test_a_port_in_use_is_not_returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = sorted(free_ports(2))
    elsewhere = [*range(ports.LOWEST_PORT, 65_536)]
    taken = ",".join(str(port) for port in elsewhere if port not in (first, second))
    monkeypatch.setattr(ports, "_SYSCTL", sysctl(tmp_path, 1, 2, taken))
    assert sorted(free_ports(2)) == [first, second]
    with socket.socket() as held:
        held.bind(("0.0.0.0", first))
        held.listen()
        assert free_ports(1) == [second]
        with pytest.raises(UserError, match=r"2 free ports are needed and 1 were found.*ip_local_port_range"):
            free_ports(2)


def test_a_port_with_a_connection_in_time_wait_is_not_returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    server = socket.create_server(("127.0.0.1", port))
    client = socket.create_connection(("127.0.0.1", port))
    accepted, _ = server.accept()
    for one in (accepted, client, server):  # the server's side closes first, so TIME_WAIT is on its port
        one.close()
    others = ",".join(str(other) for other in range(ports.LOWEST_PORT, 65_536) if other != port)
    monkeypatch.setattr(ports, "_SYSCTL", sysctl(tmp_path, 1, 2, others))
    with pytest.raises(UserError):
        free_ports(1)
    check_free(port)  # but a server, with SO_REUSEADDR, can listen on it


def test_low_ports_are_used_if_the_ephemeral_range_is_nearly_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "_SYSCTL", sysctl(tmp_path, 5_000, 65_535))
    assert all(1_024 <= port < 5_000 for port in free_ports(5))
    monkeypatch.setattr(ports, "_SYSCTL", sysctl(tmp_path, 1_024, 65_535))
    with pytest.raises(UserError, match="1 free ports are needed and 0 were found"):
        free_ports(1)


def test_without_proc_the_default_ephemeral_range_of_linux_is_avoided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "_SYSCTL", tmp_path)
    assert not [port for port in free_ports(20) if 32_768 <= port < 61_000]


def test_the_process_that_listens_on_a_port_is_named() -> None:
    script = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        with pytest.raises(UserError, match=rf"port {port} is in use by process {process.pid} \(.*import socket"):
            check_free(port)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
    check_free(port)
    assert holder(port) is None


def test_a_port_of_an_outgoing_connection_is_in_use() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        pytest.raises(UserError, match=rf"in use by process {os.getpid()}"),
    ):
        check_free(client.getsockname()[1])


@pytest.mark.parametrize("port", [65_536, 0, -1])
def test_a_number_that_is_no_port_is_an_error(port: int) -> None:
    with pytest.raises(UserError, match="from 1 to 65535"):
        check_free(port)


@pytest.mark.parametrize(
    ("first", "says"),
    [
        (29_995, ""),
        (29_996, "choose a first port from 10000 to 29995"),
        (40_000, "gives out 30000 to 40000"),
        (40_001, ""),
    ],
)
def test_ports_that_the_kernel_gives_out_have_a_warning_with_others(
    first: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "_SYSCTL", sysctl(tmp_path, 30_000, 40_000))
    found = ports.ephemeral_warning(first, 5)
    assert says in found
    assert bool(found) == bool(says)


def test_reserved_ports_are_not_given_out_and_have_no_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_SYSCTL", sysctl(tmp_path, 30_000, 40_000, "31000-31005"))
    assert ports.ephemeral_warning(31_000, 6) == ""
    assert ports.ephemeral_warning(31_001, 6) != ""
