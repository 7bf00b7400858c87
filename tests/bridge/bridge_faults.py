"""For tests only: which statement meets which fault, and what has been executed."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

MODES = (
    "none", "refuse", "slow", "hang", "cut_before_execute", "cut_after_execute", "half_answer", "error_500", "error_memory",
)  # fmt: skip


def plain(sql: str) -> str:
    """SQL without the backquotes that clickhouse-connect puts around every name."""
    return sql.replace("`", "")


class Faults:
    """One fault at a time; setting a new one replaces the old one. A count below 0 lasts until replaced."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fault: dict[str, Any] = {"mode": "none"}
        self._counts = {"executed": 0, "failed": 0, "faults": 0}
        self._statements: deque[dict[str, Any]] = deque(maxlen=1000)

    def set(self, mode: str, count: int = 1, seconds: float = 1.0, match: str = "") -> None:
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}")
        with self._lock:
            self._fault = {"mode": mode, "count": int(count), "seconds": float(seconds), "match": match}

    def take(self, sql: str) -> tuple[str, float]:
        with self._lock:
            fault = self._fault
            if fault["mode"] == "none" or fault["count"] == 0 or fault["match"] not in plain(sql):
                return "none", 0.0
            fault["count"] -= 1
            self._counts["faults"] += 1
            return fault["mode"], fault["seconds"]

    def note(self, sql: str, query_id: str, code: int) -> None:
        with self._lock:
            self._counts["failed" if code else "executed"] += 1
            self._statements.append({"sql": plain(sql)[:2000], "query_id": query_id, "code": code})

    def log(self) -> dict[str, Any]:
        with self._lock:
            return {**self._counts, "fault": dict(self._fault), "statements": list(self._statements)}
