"""The guide says what is true: its snippets run in order, and the names in it exist."""

from __future__ import annotations

import os
import re

from tests.conftest import ROOT
from tests.semconv.emit.conftest import Sink, python

from actorscope import semconv

GUIDE = (ROOT / "docs" / "emitting.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)


def test_the_snippets_run_in_order_and_tell_what_they_say(sink: Sink) -> None:
    done = python("\n".join(SNIPPETS), **{**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url})
    assert (done.returncode, done.stderr) == (0, "")
    spans, events = sink.spans(), sink.events()
    assert len(SNIPPETS) == 8 and sink.services() == {"refund-desk"}
    expected = {
        "invoke_agent triage": 2, "delegate refunds": 3, "execute_tool look_up": 1, "execute_tool refund": 2,
        "await_approval refund": 1,
    }  # fmt: skip
    assert {name: spans.count(name) for name in expected} == expected
    assert events.count("actorscope.span.start") == len(spans)
    assert events.count("actorscope.budget.check") == 2
    for name in ("approval.request", "approval.resolution", "decision", "authz.decision"):
        assert events.count(f"actorscope.{name}") == 1, name


def test_every_name_of_the_guide_exists() -> None:
    named = set(re.findall(r"semconv\.(\w+)", GUIDE)) - {"md", "setup(...)"}
    assert named <= set(semconv.__all__)
    assert set(semconv.__all__) - named <= {
        "ActorscopeSpanProcessor", "Credential", "Handle", "SetupError", "digest", "extract_a2a", "extract_mcp",
    }  # fmt: skip
    assert all(hasattr(semconv, name) for name in semconv.__all__)
