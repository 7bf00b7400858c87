"""The one door of the views and the API to the answers; remembers what is costly for a moment."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from actorscope.analysis import saved as saved_
from actorscope.analysis.alerts import send
from actorscope.analysis.alerts.outbox import Attempt
from actorscope.analysis.answers import actor as actor_
from actorscope.analysis.answers import again as again_
from actorscope.analysis.answers import alerts as alerts_
from actorscope.analysis.answers import around as around_
from actorscope.analysis.answers import attention as attention_
from actorscope.analysis.answers import change as change_
from actorscope.analysis.answers import compare as compare_
from actorscope.analysis.answers import console as console_
from actorscope.analysis.answers import covered as covered_
from actorscope.analysis.answers import findings as findings_
from actorscope.analysis.answers import fleet as fleet_
from actorscope.analysis.answers import ids as ids_
from actorscope.analysis.answers import ingest as ingest_
from actorscope.analysis.answers import lineage as lineage_
from actorscope.analysis.answers import radius as radius_
from actorscope.analysis.answers import run as run_
from actorscope.analysis.answers import spend as spend_
from actorscope.analysis.answers.source import Source
from actorscope.dashboards.access import Access
from actorscope.settings import AlertSettings

_T = TypeVar("_T")
_THREADS = 8
_MEMORY = 200
_MEMORY_OF_RUNS = 8  # each may hold 20,000 spans
_FRESH_SECONDS = 1.5
_FRESH_SLOW_SECONDS = 10.0
_FRESH_COVERAGE_SECONDS = 30.0
_FRESH_FOR_GOOD = 1e12
_TRACES_OF_A_PAGE = 200


class _Memory:
    """The latest answers for a moment, so that many open pages cost as much as one. Nobody changes an answer."""

    def __init__(self, most: int = _MEMORY) -> None:
        self._most = most
        self._answers: OrderedDict[Any, tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def clear(self) -> None:
        with self._lock:
            self._answers.clear()

    def recall(self, key: Any, question: Callable[[], _T], fresh_seconds: float = _FRESH_SECONDS) -> _T:
        with self._lock:
            at, answer = self._answers.get(key, (-math.inf, None))
        if time.monotonic() - at > fresh_seconds:
            answer = question()
            with self._lock:
                self._answers[key] = (time.monotonic(), answer)
                self._answers.move_to_end(key)
                while len(self._answers) > self._most:
                    self._answers.popitem(last=False)
        found: _T = answer
        return found


_memory = _Memory()
_runs = _Memory(_MEMORY_OF_RUNS)


def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="answers")


@dataclass
class _Connection:
    store: Source | None = None
    access: Access = field(default_factory=Access)
    health: Callable[[], dict[str, Any]] = dict
    alerts: AlertSettings = field(default_factory=lambda: AlertSettings.model_validate({}))
    public_url: Callable[[], str] = str
    pool: ThreadPoolExecutor = field(default_factory=_pool)


_connection = _Connection()


def connect(
    store: Source,
    health: Callable[[], dict[str, Any]],
    access: Access | None = None,
    alerts: AlertSettings | None = None,
    public_url: Callable[[], str] = str,
) -> None:
    """Called once by the process before the first page is shown."""
    _connection.store, _connection.health, _connection.access = store, health, access or Access()
    _connection.alerts, _connection.public_url = alerts or AlertSettings.model_validate({}), public_url
    _memory.clear()
    _runs.clear()


def disconnect() -> None:
    """Wait for the queries under way; chDB wants no thread in it when the store is closed."""
    pool, _connection.pool = _connection.pool, _pool()
    pool.shutdown(wait=True)


def store() -> Source:
    if _connection.store is None:
        raise RuntimeError("the explorer is not connected; start it with `actorscope up`")
    return _connection.store


def access() -> Access:
    return _connection.access


def health() -> dict[str, Any]:
    return _connection.health()


def ask(question: Callable[..., _T], *given: Any, **named: Any) -> _T:
    """The answer of `question(store, ...)`, worked out on one of a few threads that stay.

    Streamlit runs every refresh on a new thread, and the store keeps a client for each thread that asks.
    """
    return on_pool(question, store(), *given, **named)


def on_pool(work: Callable[..., _T], *given: Any, **named: Any) -> _T:
    """What `work` returns, done on one of the threads that stay."""
    return _connection.pool.submit(work, *given, **named).result()


def _recall(question: Callable[..., _T], *given: Any) -> _T:
    return _memory.recall((question, given), lambda: ask(question, *given))


def coverage(since: datetime | None, actor: str = "") -> dict[str, Any]:
    """Of the latest traces, remembered for half a minute: they are woven anew."""
    given = (since, actor, _TRACES_OF_A_PAGE)
    work = covered_.stored
    return _memory.recall((work, given), lambda: ask(work, *given), _FRESH_COVERAGE_SECONDS)


def ingest() -> dict[str, Any]:
    return _recall(ingest_.ingest)


def alerts() -> dict[str, Any]:
    """Targets with how they fare, groups that are told and not over, silences."""
    return _memory.recall((alerts_.overview,), lambda: ask(alerts_.overview, _connection.alerts))


def notifications(state: str = "", target: str = "", limit: int = 100) -> list[dict[str, Any]]:
    return _recall(alerts_.notifications, state, target, limit)


def deliveries(limit: int = 100) -> list[dict[str, Any]]:
    return _recall(alerts_.deliveries, limit)


trace_id = ids_.trace_id
span_id = ids_.span_id


Wanted = attention_.Wanted


def attention(wanted: Wanted, limit: int = 200, offset: int = 0) -> dict[str, Any]:
    return _recall(attention_.attention, wanted, limit, offset)


def times_seen(wanted: Wanted) -> dict[str, Any]:
    return _recall(_times, wanted)


def _times(store: Source, wanted: Wanted) -> dict[str, Any]:
    return attention_.times(store, wanted, datetime.now(UTC))


def write(work: Callable[..., _T], *given: Any) -> _T:
    """What `work(store, ...)` returns; what was remembered is forgotten, so that a page shows what it wrote."""
    result = ask(work, *given)
    _memory.clear()
    return result


def finding(finding_id: str) -> dict[str, Any] | None:
    return _recall(findings_.detail, finding_id)


def run_version(trace: str) -> str:
    return _recall(run_.version, trace)


def run(trace: str) -> run_.Run | None:
    """Remembered as long as nothing of the trace changes."""
    return _runs.recall((trace, run_version(trace)), lambda: ask(run_.whole, trace), _FRESH_FOR_GOOD)


def search_run(trace: str, text: str) -> dict[str, Any]:
    return _recall(run_.search, trace, text)


def around(trace: str, runs: tuple[str, ...], conversations: tuple[str, ...]) -> dict[str, Any]:
    return _recall(around_.around, trace, runs, conversations)


def siblings(trace: str, actor: str, task: str) -> list[dict[str, Any]]:
    return _recall(around_.siblings, trace, actor, task)


def compare(first: str, second: str) -> dict[str, Any] | None:
    """Two runs side by side; None when one of them is not stored."""
    one, other = run(first), run(second)
    return None if one is None or other is None else on_pool(compare_.compare, one, other)


def span(trace: str, span: str) -> dict[str, Any] | None:
    return _recall(run_.span, trace, span)


def trace_of(span: str) -> str | None:
    return _recall(run_.trace_of, span)


def latest_runs(actor_id: str = "", limit: int = 50) -> list[dict[str, Any]]:
    return _recall(run_.latest_runs, actor_id, None, limit)


def fleet(since: datetime | None, limit: int = 1000) -> dict[str, Any]:
    return _recall(fleet_.fleet, since, limit)


def saved_views() -> list[dict[str, Any]]:
    return _recall(saved_.views)


def lineage(trace: str, span: str = "") -> dict[str, Any] | None:
    return _recall(lineage_.lineage, trace, span)


def who_changed(resource: str, since: datetime | None, until: datetime | None, reads: bool) -> dict[str, Any]:
    return _recall(change_.who_changed, resource, since, until, reads)


def why_again(trace: str, span: str) -> dict[str, Any] | None:
    return _recall(again_.why_again, trace, span)


def actor(actor_id: str, since: datetime | None) -> dict[str, Any]:
    return _memory.recall(("actor", actor_id, since), lambda: ask(actor_.actor, actor_id, since), _FRESH_SLOW_SECONDS)


def radius(identity: str, since: datetime | None) -> dict[str, Any]:
    return _memory.recall(("radius", identity, since), lambda: ask(radius_.radius, identity, since), _FRESH_SLOW_SECONDS)


def spend(since: datetime | None, starter: str) -> dict[str, Any]:
    return _memory.recall(("spend", since, starter), lambda: ask(spend_.spend, since, starter), _FRESH_SLOW_SECONDS)


console = console_.answer


def try_target(name: str) -> Attempt:
    """Send one test notification to a target now, past the outbox."""
    target = next(each for each in _connection.alerts.everybody if each.name == name)
    return on_pool(send.send_test, target, _connection.alerts, _connection.public_url())
