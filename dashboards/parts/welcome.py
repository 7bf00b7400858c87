"""What to do next when there is nothing to see yet."""

from __future__ import annotations

from typing import Any

import streamlit as st

from actorscope.dashboards.parts.words import amount


def first_steps(health: dict[str, Any], what: str = "findings") -> None:
    """There is nothing to list: because all is quiet, because analysis is on its way, or because nothing has arrived."""
    stored = health.get("spans_stored")
    if not stored:
        st.info(f"No {what} yet. Send spans, and they appear here within seconds.", icon=":material/sensors:")
        _send(health)
        return
    if what == "findings":
        st.success(f"Nothing needs attention. {amount(stored)} spans came in since the start.", icon=":material/check:")
    else:
        st.info(f"No {what} yet, though {amount(stored)} spans came in since the start.", icon=":material/hourglass_empty:")
        st.text("Either analysis has not come to them, or none of them is from an agent; “Coverage” tells which.")
    lag = health.get("analysis_lag_seconds") or 0
    if lag > 5:
        st.text(f"Analysis is {lag:.0f} s behind; more may still come.")


def _send(health: dict[str, Any]) -> None:
    st.text("Point the OTLP exporter of your agents here:")
    grpc, http = health.get("grpc"), health.get("http")
    lines = [f"OTEL_EXPORTER_OTLP_ENDPOINT=http://{grpc or '127.0.0.1:4317'}    # gRPC"]
    lines.append(f"OTEL_EXPORTER_OTLP_ENDPOINT={http or 'http://127.0.0.1:4318'}    # HTTP")
    st.code("\n".join(lines), language="bash")
    if not grpc:
        st.text("These are the default ports; the addresses in use were printed at the start.")
    st.text("Or play a fleet of agents, some of them misbehaving:")
    st.code("actorscope up --demo", language="bash")
