"""How the intake fares: what comes in, what waits, what was dropped and why, and who sends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from actorscope.analysis import watch
from actorscope.analysis.answers.console import plain
from actorscope.analysis.extensions import every_detector
from actorscope.analysis.watches.system_data_dropped import dropped
from actorscope.analysis.watches.system_ingest_lag import Config as LagConfig
from actorscope.ingest.store.client import Store

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_ALIVE = timedelta(minutes=3)
ADVICE = {
    "rejected.invalid_trace_id": "Spans need a trace id of 16 bytes that are not all zero: look at the sender's id generator.",
    "rejected.invalid_span_id": "Spans need a span id of 8 bytes that are not all zero: look at the sender's id generator.",
    "rejected.metrics_are_not_kept": "Set OTEL_METRICS_EXPORTER=none at the sender, or send metrics elsewhere.",
    "refused.too_large": "Send smaller batches, or raise ingest.max_request_mib.",
    "refused.undecodable": "Something that is no OTLP is sent here: look at the sender's protocol and port.",
    "refused.unauthenticated": "A sender has no token or an old one: actorscope token NAME makes one.",
    "refused.forbidden": "A sender may not do this.",
    "refused.throttled": "A sender is over its rate and sends again; raise its limits if it should not wait.",
    "refused.no_room": "The log or the memory was full and senders waited: is the store up and fast enough?",
    "refused.disconnected": "Senders hung up before the end: look at their timeouts.",
    "refused.not_otlp": "Somebody asks for other paths or methods; harmless.",
    "refused.unexpected": "A fault of Actorscope: look at its log and report it.",
    "requests_quarantined": "The store refuses these requests for good; they lie in the folder quarantine beside the log.",
    "spool_damaged_bytes": "A disk returned other bytes than were written; they lie in the folder quarantine beside the log.",
    "attributes_cut": "Values are longer than ingest.limits.max_value_kib.",
    "attributes_dropped": "Records have more attributes than ingest.limits.max_attributes.",
    "values_redacted": "As ingest.privacy asks.",
    "contents_masked": "As ingest.privacy asks.",
    "spans_duplicate": "Retries of what was kept already; counted once everywhere.",
    "logs_duplicate": "Retries of what was kept already; counted once everywhere.",
}
"""What to do about each count that is no plain success."""


def ingest(store: Store, now: datetime | None = None) -> dict[str, Any]:
    """The last hour of every ingester, and the last day of every source; `problems` is empty when all is well."""
    at = now or datetime.now(UTC)
    reports = watch.reports(store, at - _HOUR).to_dicts()
    minutes = store.named("stored_minutes", **{"from": at - _HOUR})
    ingesters = [_ingester([r for r in reports if r["ingester"] == name], at) for name in sorted({r["ingester"] for r in reports})]
    sources = store.named("sources", **{"from": at - _DAY, "hour": at - _HOUR})
    reasons = _reasons(reports, at)
    return {
        "at": at.isoformat(),
        "problems": _problems(ingesters, reasons),
        "ingesters": ingesters,
        "minutes": [plain(row) for row in minutes.iter_rows(named=True)],
        "reasons": reasons,
        "detectors": detectors(store, at),
        "sources": [_source(row, at) for row in sources.iter_rows(named=True)],
    }


def detectors(store: Store, now: datetime) -> list[dict[str, Any]]:
    """What each detector was given in the last seven days; `empty` names frames of which it never had a row.

    A detector without a row in something that it needs cannot say anything: what it looks for is not on record.
    """
    noted = store.named("detector_inputs", **{"from": (now - 7 * _DAY).date()})
    inputs = {(detector, frame): (rows, told) for detector, frame, rows, told in noted.iter_rows()}
    found = []
    for detector in every_detector():
        given = {name: inputs.get((detector.id, name), (0, 0))[0] for name in detector.needs}
        told = inputs.get((detector.id, ""), (0, 0))[1]
        found.append(
            {"detector": detector.id, "rows": given, "signals": told, "empty": [name for name, n in given.items() if not n]}
        )
    return found


def _ingester(reports: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    last = max(reports, key=lambda r: r["at"])
    return {
        "ingester": last["ingester"],
        "is_alive": now - last["at"] <= _ALIVE,
        "reported_at": plain(last["at"]),
        "started_at": plain(last["started_at"]),
        "lag_seconds": last["lag_seconds"],
        "spool_bytes": last["spool_bytes"],
        "spool_limit": last["spool_limit"],
    }


def _reasons(reports: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Every count of the last hour that is no plain success, the largest first."""
    amounts: dict[str, int] = {}
    for name in sorted({r["ingester"] for r in reports}):
        mine = sorted((r for r in reports if r["ingester"] == name), key=lambda r: r["at"])
        for key in {pair["key"] for report in mine for pair in report["counts"]} & ADVICE.keys():
            amounts[key] = amounts.get(key, 0) + dropped(mine, key, now - _HOUR)[0]
    found = [{"what": key, "amount": amount, "advice": ADVICE[key]} for key, amount in amounts.items() if amount]
    return sorted(found, key=lambda row: (-int(str(row["amount"])), str(row["what"])))


def _problems(ingesters: list[dict[str, Any]], reasons: list[dict[str, Any]]) -> list[str]:
    told, limits = [], LagConfig()
    for one in ingesters:
        if not one["is_alive"]:
            told.append(f"ingester {one['ingester']} has not reported since {one['reported_at']}")
        if one["is_alive"] and one["lag_seconds"] >= limits.medium_seconds:
            told.append(f"what ingester {one['ingester']} received waits {one['lag_seconds']:.0f} s for the store")
        if one["spool_bytes"] >= limits.full_share * max(1, one["spool_limit"]):
            told.append(f"the log of ingester {one['ingester']} is {one['spool_bytes'] / max(1, one['spool_limit']):.0%} full")
    lost = ("requests_quarantined", "spool_damaged_bytes", "refused.unexpected")
    told += [f"{row['amount']} {row['what'].replace('_', ' ')}" for row in reasons if row["what"] in lost]
    return told


def _source(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "service_name": row["service_name"],
        "tenants": sorted(filter(None, row["tenants"])),
        "spans_last_hour": row["spans_last_hour"],
        "spans_last_day": row["spans"],
        "last_at": plain(row["last_at"]),
        "silent_seconds": max(0.0, (now - row["last_at"]).total_seconds()),
    }
