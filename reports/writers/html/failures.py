"""The failed calls and the lost sessions of a run for the page, grouped by their reason, largest group first. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from reports.explanation.words import example_command

__all__ = ["failures_view", "lost_view"]

View = dict[str, Any]


def failures_view(data: Mapping[str, Any]) -> View:
    """One row per reason. `link`: the anchor of the example's waterfall on the page, "" where it is not drawn."""
    drawn = {_key(call): number for number, call in reversed([*enumerate(data["failovers"])])}
    rows = []
    for group in data.get("failures") or ():
        example = (group.get("example") or {}).get("key") or ""
        rows.append(
            {
                "outcome": group["outcome"] or "several outcomes",
                "status": "" if group["status"] is None else str(group["status"]),
                "message": group["message"] or "",
                "pool": group["pool"] or "–",
                "phase": group["phase"] or "–",
                "calls": f"{group['calls']:,}",
                "sessions_lost": f"{group['sessions_lost']:,}",
                "example": example,
                "link": f"call-{drawn[example]}" if example in drawn else "",
                "command": example_command(data, group) if example else "",
            }
        )
    return {"rows": rows, "calls": f"{sum(group['calls'] for group in data.get('failures') or ()):,}"}


def _key(call: Mapping[str, Any]) -> str:
    return f"{call['session']}/{call['agent']}#{call['turn']}"


def lost_view(data: Mapping[str, Any]) -> View:
    """The lost sessions: those of one reason, pool and phase are one group; and their number by phase.

    `phases`: (phase, sessions that started in it and were lost, sessions that were lost in it).
    """
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for session in data["sessions_lost"]:
        reason = str(session["because"] or session.get("reason") or "no reason recorded")
        pool = str(session.get("pool") or str(session["replica"] or "").rpartition("-")[0])
        groups.setdefault((reason, pool, _lost_phase(session)), []).append(session)
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    measure = data["measures"]["sessions_lost"]
    count = measure["run"]["value"]
    listed = len(data["sessions_lost"])
    return {
        "count": count,
        "groups": [_group(key, sessions) for key, sessions in ordered],
        "phases": _by_phase(data),
        "more": f"{int(count) - listed:,}" if isinstance(count, (int, float)) and count > listed else "",
    }


def _lost_phase(session: Mapping[str, Any]) -> str:
    """The phase in which a session was lost; the one in which it started where the report does not have it."""
    return str(session.get("lost_phase") or session["phase"] or "-")


def _group(key: tuple[str, str, str], sessions: list[Mapping[str, Any]]) -> View:
    reason, pool, phase = key
    return {
        "sessions": f"{len(sessions):,} {'session' if len(sessions) == 1 else 'sessions'}",
        "reason": reason,
        "pool": pool,
        "phase": phase,
        "said": _commonest(str(session.get("reason") or "") for session in sessions),
        "rows": [
            (
                session["session"],
                session["phase"] or "-",
                _lost_phase(session),
                f"{session['started_s']:.1f}",
                f"{session['ended_s']:.1f}",
                str(session["calls"]),
                session["replica"] or "-",
            )
            for session in sessions
        ],
    }


def _commonest(texts: Any) -> str:
    counts = Counter(text for text in texts if text)
    return counts.most_common(1)[0][0] if counts else ""


def _by_phase(data: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    started = Counter(str(session["phase"] or "-") for session in data["sessions_lost"])
    ended = Counter(_lost_phase(session) for session in data["sessions_lost"])
    ended.update({phase: count - ended[phase] for phase, count in (data.get("lost_in_phase") or {}).items()})
    for phase, cell in data["measures"]["sessions_lost"]["phases"].items():
        value = cell["value"] if cell else None
        if isinstance(value, (int, float)) and phase in {p["name"] for p in data["phases"]}:
            started[phase] = int(value)
    order = [phase["name"] for phase in data["phases"]]
    known = [*order, *(phase for phase in (*started, *ended) if phase not in order)]
    rows = [(phase, f"{started[phase]:,}", f"{ended[phase]:,}") for phase in dict.fromkeys(known)]
    return [row for row in rows if row[1:] != ("0", "0")]
