"""What real frameworks really send goes in through `actorscope replay`, without a span lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.conformance.facts import everything
from tests.conftest import RECORDINGS
from tests.e2e.harness import Program

from actorscope.cli.replay import read
from actorscope.ingest.store.client import Store

pytestmark = pytest.mark.e2e
_NAMES = sorted(path.name.removesuffix(".traces.binpb.gz") for path in RECORDINGS.glob("*.traces.binpb.gz"))


def _ids(name: str) -> Iterator[tuple[str, str]]:
    for recorded in read(RECORDINGS / f"{name}.traces.binpb.gz"):
        for rs in ExportTraceServiceRequest.FromString(recorded.body).resource_spans:
            for ss in rs.scope_spans:
                yield from ((span.trace_id.hex(), span.span_id.hex()) for span in ss.spans)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """All recordings in one program, each traces file with its logs."""
    with Program(tmp_path_factory.mktemp("recordings") / "data") as started:
        files = [str(path) for path in sorted(RECORDINGS.glob("*.binpb.gz"))]
        done = started.command("replay", *files, "--endpoint", started.where["grpc"])
        assert done.returncode == 0, done.stderr
        started.settle(len({i for name in _NAMES for i in _ids(name)}))
        yield started


def _where(name: str) -> str:
    traces = ", ".join(f"'{trace}'" for trace in sorted({trace for trace, _ in _ids(name)}))
    return f"trace_id IN ({traces})"


@pytest.mark.parametrize("name", _NAMES)
def test_no_span_of_a_recording_is_lost_or_doubled(program: Program, name: str) -> None:
    rows = program.sql(f"SELECT trace_id, span_id FROM spans WHERE {_where(name)}")
    assert Counter(map(tuple, rows)) == Counter(set(_ids(name)))


def test_each_recording_says_among_all_what_it_says_alone(program: Program, chdb: Store) -> None:
    alone: Counter[str] = Counter()
    for _, rows in everything(chdb).values():
        alone.update(rows)
    # The scripted model gives its calls the same ids in every recording, and some frameworks use them for approvals.
    del alone["approvals"]
    found = {view: program.sql(f"SELECT count() FROM {view}")[0][0] for view in alone}
    assert found == dict(alone)
