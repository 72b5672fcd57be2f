"""A whole exercise on a real stack, by people over HTTP: what each was told, what was recorded, what is left."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from reports.analysis import analyse
from tests.support.gameday_session import GameDayProcess, Participant, write_scenario
from tests.support.run_helpers import events, of_run
from tests.support.telltales import Telltales

WITHHELD = Telltales(
    kinds=["slow_decode"],
    ids=["h1", "throttled"],
    names=["quiet-throttle", "The accelerator of beta is throttled in silence", "grey-failure"],
    targets=["beta-0"],
)


class Backend:
    """A trace back-end of the user's: keeps each OTLP request."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        kept = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Backend()
    yield made
    made.server.shutdown()
    made.server.server_close()


def has_fault(person: Participant) -> None:
    person.until(lambda doc: doc["gamemaster"]["faults"], "the step is played at its time")


@pytest.mark.slow
def test_people_find_name_and_repair_a_fault_that_nobody_told_them(tmp_path: Path, backend: Backend) -> None:
    scenario = write_scenario(tmp_path)
    copies = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": backend.url}
    with GameDayProcess(tmp_path, str(scenario), "--stay", "60s", environment=copies) as day:
        mira, ana = day.enter("gamemaster", "Mira"), day.enter("responder", "Ana")
        wall = day.enter("audience", "<script>alert(1)</script>")
        assert (mira.page, ana.page, wall.page) == ("/controls", "/respond", "/wall")
        streams = [ana.stream(), wall.stream()]
        assert ana.refused("start")[0] == 403
        assert mira.state()["gamemaster"]["sheet"][0]["state"] == "next"
        mira.do("start")
        has_fault(mira)
        seen = ana.until(lambda doc: doc["responder"]["questions"], "the customer calls")
        ana.do("answer", question=seen["responder"]["questions"][0]["id"], text="It is us.")
        ana.do("notice", text="some answers are slow")
        ana.do("belief", text="the gateway?", cause="gateway_slow", component="gateway")
        ana.do("belief", text="beta is slow", cause="replica_slow", component="replica:beta-0")
        wall.do("note", text="</script> | **bold**")
        verdicts = [one["verdict"] for one in mira.state()["gamemaster"]["beliefs"]]
        assert verdicts == ["wrong", "right"]
        ana.do("operate", operation="drain", arguments={"pool": "beta"})
        mira.until(lambda doc: not doc["gamemaster"]["faults"], "the drain has ended the fault")
        assert [one["data"]["why"] for one in day.facts("reverted")] == ["repair"]
        assert ana.state()["live"]["operations"][0]["text"] == "pool beta is drained"
        ana.do("record_action", text="TODO alert on slow replicas")
        withheld = [*ana.received, *wall.received]
        spans_before = len(backend.requests)
        mira.do("finding", id="finding-1", found=True)
        mira.do("end")
        over = wall.until(lambda doc: doc["exercise"]["state"] == "over", "everything is restored")
        assert over["review"]["truth"][0]["kind"] == "slow_decode"
        assert over["review"]["restored"]["verified"] is True
        shown = wall.until(lambda doc: doc["review"]["files"], "the post-mortem is there", 90)
        people = {one["what"]: one["seconds"] for one in shown["review"]["times"] if one["who"] == "people"}
        assert all(seconds is not None and seconds >= 0 for seconds in people.values()), people
        status, headers, page = wall.request("GET", "/review/postmortem.html")
        assert (status, b"Ana" in page, b"<script>alert" in page) == (200, True, False)
        assert "Content-Security-Policy" in headers
        day.process.terminate()
        assert day.ends() == 0
        for thread in streams:
            thread.join(10)
            assert not thread.is_alive()
        assert spans_before > 0
        for number, content in enumerate(withheld):
            WITHHELD.check(f"received {number}", content)
        for number, request in enumerate(backend.requests[:spans_before]):
            assert not WITHHELD.in_spans(f"spans {number}", request)
        assert any(b"brownout.fault" in request for request in backend.requests[spans_before:])
        report = json.loads((day.folder / "report.json").read_text())
    exercise = report["exercise"]
    assert exercise["restored"]["verified"] is True
    assert "TODO alert on slow replicas" in (day.folder / "postmortem.md").read_text()
    assert {one["event"] for one in events(day.folder, "exercise")} >= {
        *("opened", "entered", "started", "step", "injected", "noticed", "belief", "operation", "reverted"),
        *("question", "answer", "note", "action", "finding", "ended", "restored", "controls"),
    }


@pytest.mark.long
def test_abort_hand_over_and_a_second_game_master(tmp_path: Path) -> None:
    with GameDayProcess(tmp_path, str(write_scenario(tmp_path)), "--stay", "1s") as day:
        mira, omar = day.enter("gamemaster", "Mira"), day.enter("gamemaster", "Omar")
        status, why = omar.refused("start")
        assert (status, "Mira" in why) == (409, True)
        omar_id = next(one["id"] for one in mira.state()["people"] if one["name"] == "Omar")
        mira.do("hand_over", to=omar_id)
        omar.do("start")
        has_fault(omar)
        mira.do("abort")  # without the controls, and asks nothing
        found = omar.until(lambda doc: not doc["gamemaster"]["faults"], "the fault is reverted")
        assert (found["exercise"]["aborted"], found["exercise"]["state"]) == (True, "held")
        status, why = omar.refused("inject", kind="kill", options={"pool": "alpha"})
        assert (status, "abort" in why) == (409, True)
        omar.do("release")
        answer = omar.do("preview", kind="kill", options={"pool": "alpha"})
        assert "kill on alpha-0 (1 of 2 replicas)" in answer["text"]
        omar.do("inject", kind="kill", options={"pool": "alpha"}, **{"for": "2s"})
        omar.until(lambda doc: doc["gamemaster"]["faults"], "the kill is shown")
        omar.until(lambda doc: not doc["gamemaster"]["faults"], "it ends with its time")
        omar.do("load_level", factor=2)
        assert omar.state()["live"]["load"]["level"] == 2
        omar.do("end")
        assert day.ends() == 0
    whys = [(one["data"]["fault"], one["data"]["why"]) for one in day.facts("reverted")]
    assert whys == [("h1", "abort"), ("h2", "time")]
    assert day.facts("restored")[0]["data"]["verified"] is True


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_nothing_and_its_report_can_be_made(tmp_path: Path) -> None:
    with GameDayProcess(tmp_path, str(write_scenario(tmp_path))) as day:
        mira = day.enter("gamemaster", "Mira")
        mira.do("start")
        has_fault(mira)
        day.process.kill()
        day.process.wait()
    assert not of_run(day.folder)
    report = analyse(day.folder)
    assert report.data["exercise"]["restored"]["verified"] is not True
    text = (day.folder / "postmortem.md").read_text()
    assert "slow_decode" in text
    undo = [json.loads(line) for line in (day.folder / "undo.jsonl").read_text().splitlines()]
    assert [(line["fault"], line["by"]) for line in undo if line.get("done")] == [("h1", "shepherd")]
