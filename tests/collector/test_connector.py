"""What the connector counts, as Prometheus sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.collector.collector import Collector, metric
from tests.collector.test_pipeline import story
from tests.conftest import ROOT
from tests.e2e.harness import until

pytestmark = pytest.mark.e2e
_METRICS = ROOT / "docs" / "examples" / "otel-metrics.yaml"
_NOBODY = "127.0.0.1:1"
_BARE = "service: {pipelines: {traces: {processors: [memory_limiter]}}}\n"


@pytest.mark.parametrize("more", ["", _BARE], ids=["after the processor", "without it"])
def test_counts_are_at_the_prometheus_endpoint(tmp_path: Path, more: str) -> None:
    with Collector(tmp_path, _METRICS, more, ACTORSCOPE_ENDPOINT=_NOBODY, FLUSH_INTERVAL="200ms") as collector:
        story(collector.where, "desk", runs=3)
        at = collector.prometheus
        until(lambda: metric(at, "actorscope_runs_total") == 3, "the runs are counted")
        assert metric(at, "actorscope_runs_total", service_name="desk", gen_ai_agent_name="refunds") == 3
        assert metric(at, "actorscope_tokens_total", actorscope_token_kind="input") == 3 * 800
        assert metric(at, "actorscope_tokens_total", actorscope_token_kind="output") == 3 * 40
        assert metric(at, "actorscope_actions_total", actorscope_action_side_effect="write") == 3
        assert metric(at, "actorscope_actions_total", gen_ai_agent_name="refunds") == 3, "the name of the agent comes from the span above"
