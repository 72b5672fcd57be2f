"""The CPU of a gateway: of every process that listens on its port, of their children, and of the busiest thread."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.runner.gateway_cpu import CpuUse, GatewayCpu, port_of, processes_at

GATEWAY = """\
import os, socket, sys
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen()
if os.fork() == 0:  # a worker, which inherits the socket, as in nginx
    sys.stdin.readline()
    os._exit(0)
print(listening.getsockname()[1], flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def gateway() -> Iterator[tuple[int, int]]:
    """A master with one worker: its process, and its port."""
    pipe, argv = subprocess.PIPE, [sys.executable, "-c", GATEWAY]
    with subprocess.Popen(argv, text=True, stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline())
        process.stdin.close()
        process.kill()


def test_the_listeners_of_a_port_are_the_master_and_its_worker(gateway: tuple[int, int]) -> None:
    pid, port = gateway
    found = processes_at(port)
    assert pid in found
    assert len(found) == 2


def test_who_connects_to_a_port_is_not_its_gateway(gateway: tuple[int, int]) -> None:
    _, port = gateway
    with socket.create_connection(("127.0.0.1", port)):
        assert os.getpid() not in processes_at(port)


def test_a_free_port_and_another_machine_have_no_processes() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert processes_at(bound.getsockname()[1]) == []
    assert port_of("http://gateway.example.org:4000") is None
    assert (port_of("http://127.0.0.1:4000/v1"), port_of("https://localhost")) == (4000, 443)


# -- samples, from files like those of /proc ---------------------------------------------------------------------------
def thread(proc: Path, pid: int, task: int, ran_s: float, waited_s: float = 0.0, children: str = "") -> None:
    folder = proc / str(pid) / "task" / str(task)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schedstat").write_text(f"{int(ran_s * 1e9)} {int(waited_s * 1e9)} 7\n")
    (folder / "children").write_text(children)


def test_a_sample_has_all_processes_and_the_busiest_thread(tmp_path: Path) -> None:
    now = 0.0
    cpu = GatewayCpu(lambda: [10], clock=lambda: now, proc=tmp_path)
    thread(tmp_path, 10, 10, 1.0, children="20 ")
    thread(tmp_path, 20, 20, 5.0)
    thread(tmp_path, 20, 21, 5.0, 1.0)
    assert cpu.look() is None
    now = 0.5
    assert cpu.look() is None
    now = 2.0
    thread(tmp_path, 10, 10, 1.2, children="20 ")
    thread(tmp_path, 20, 20, 5.4)
    thread(tmp_path, 20, 21, 6.2, 1.6)
    assert cpu.look() == CpuUse(cores=0.9, busiest=0.6, waiting=0.3)


def test_the_gateway_is_looked_for_again_after_its_process_has_ended(tmp_path: Path) -> None:
    now, looked = 0.0, []

    def find() -> list[int]:
        looked.append(now)
        return [10 + len(looked)]

    cpu = GatewayCpu(find, clock=lambda: now, proc=tmp_path)
    for now in (0.0, 1.0, 4.9, 5.0, 6.0):
        thread(tmp_path, 12, 12, now / 2)  # the second process that is found
        found = cpu.look()
    assert looked == [0.0, 5.0]
    assert found == CpuUse(0.5, 0.5, 0.0)
