"""The function of each measure in `reports.measures.catalogue`, a plain dict."""

from __future__ import annotations

from typing import Final

from reports.measures.blast_radius import blast_radius
from reports.measures.call_counts import calls, calls_failed, calls_ok, error_rate
from reports.measures.cold_cache_tail import cold_cache_tail
from reports.measures.cost import cost
from reports.measures.failover import failover, failover_rate
from reports.measures.fairness import fairness
from reports.measures.false_alerts import false_alerts
from reports.measures.gateway_wait import gateway_wait
from reports.measures.goodput import goodput
from reports.measures.goodput_lost import goodput_lost
from reports.measures.integrity import INTEGRITY
from reports.measures.itl import itl
from reports.measures.knee import knee
from reports.measures.kv_peak import kv_peak
from reports.measures.latency import latency
from reports.measures.load_imbalance import load_imbalance
from reports.measures.measurement import Measure
from reports.measures.metastable import metastable, overloaded
from reports.measures.migrations import migrations
from reports.measures.preemptions import preemptions
from reports.measures.prefill_amplification import prefill_amplification
from reports.measures.replica_queue import replica_queue
from reports.measures.retry_amplification import retry_amplification
from reports.measures.session_time import session_time
from reports.measures.sessions import session_success, sessions, sessions_lost, unfinished
from reports.measures.shed import retry_after_honoured, shed
from reports.measures.slo_attainment import slo_attainment
from reports.measures.time_to_alert import time_to_alert
from reports.measures.time_to_detect import time_to_detect
from reports.measures.time_to_readmit import time_to_readmit
from reports.measures.time_to_recover import time_to_recover
from reports.measures.wasted_tokens import wasted_tokens

__all__ = ["MEASURES"]

MEASURES: Final[dict[str, Measure]] = {
    "ttft": latency("ttft"),
    "itl": itl,
    "max_gap": latency("max_gap"),
    "tpot": latency("tpot"),
    "e2e": latency("e2e"),
    "effective": latency("effective"),
    "calls": calls,
    "calls_ok": calls_ok,
    "calls_failed": calls_failed,
    "error_rate": error_rate,
    "sessions": sessions,
    "sessions_lost": sessions_lost,
    "unfinished": unfinished,
    "session_success": session_success,
    "session_time": session_time,
    "goodput": goodput,
    "slo_attainment": slo_attainment,
    "failover": failover,
    "failover_rate": failover_rate,
    "time_to_detect": time_to_detect,
    "time_to_alert": time_to_alert,
    "false_alerts": false_alerts,
    "time_to_recover": time_to_recover,
    "time_to_readmit": time_to_readmit,
    "goodput_lost": goodput_lost,
    "overloaded": overloaded,
    "metastable": metastable,
    "blast_radius": blast_radius,
    "retry_amplification": retry_amplification,
    "prefill_amplification": prefill_amplification,
    "wasted_tokens": wasted_tokens,
    "cost": cost,
    "knee": knee,
    "fairness": fairness,
    "shed": shed,
    "retry_after_honoured": retry_after_honoured,
    "gateway_wait": gateway_wait,
    "replica_queue": replica_queue,
    "preemptions": preemptions,
    "kv_peak": kv_peak,
    "load_imbalance": load_imbalance,
    "migrations": migrations,
    "cold_cache_tail": cold_cache_tail,
    **INTEGRITY,
}
"""The measures by name, the same names as in the catalogue."""
