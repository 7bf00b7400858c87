"""The explorer's entry: navigation, the live switch, the health line, and permalinks that lead to their page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import viewer
from actorscope.dashboards.parts.live import live
from actorscope.dashboards.parts.words import amount

_VIEWS = Path(__file__).parent / "views"
# An icon of Streamlit's own set would be fetched from the internet.
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="13" fill="none" '
    'stroke="#7c5cff" stroke-width="4"/><circle cx="16" cy="16" r="5" fill="#e11d48"/></svg>'
)
# A page that refreshes itself stays readable while it asks; Streamlit's own way is to fade it after half a second.
_STYLE = """<style>
.stMainBlockContainer {padding: 3rem 2.5rem 4rem}
[data-stale="true"] {transition: opacity 1s ease-in 4s !important}
/* What Streamlit makes fainter than 4.5:1. */
[data-testid="stCaptionContainer"], kbd, [data-testid="stSpinner"] span {opacity: .9 !important}
.token {color: inherit !important}
.token.keyword {font-weight: 600}
[data-testid="stBaseButton-primary"] {background: #6344e0; border-color: #6344e0; color: #fff}
[data-testid="stBaseButton-primary"] kbd {opacity: 1 !important}
</style>"""


def _health() -> None:
    health = data.health()
    seconds = {key: health.get(f"{key}_lag_seconds") for key in ("ingest", "analysis")}
    lags = [f"{key} lag {lag:.1f} s" for key, lag in seconds.items() if lag is not None]
    status = health.get("status", "unknown")
    lines = [f"{'●' if status == 'ok' else '✖'} status {status}", *lags]
    if "spans_stored" in health:
        lines.append(f"{amount(health['spans_stored'])} spans stored since start")
    st.text("\n".join(lines))


def _follow_permalink() -> None:
    """`/?finding=`, `/?trace_id=` and `/?span_id=` come from alerts, logs and other tools."""
    given = st.query_params
    if given.get("finding"):
        st.switch_page(_VIEWS / "finding.py", query_params={"finding": given["finding"]})
    if given.get("trace_id") or given.get("span_id"):
        wanted = {key: given[key] for key in ("trace_id", "span_id") if given.get(key)}
        st.switch_page(_VIEWS / "run.py", query_params=wanted)


st.set_page_config(page_title="Actorscope", page_icon=_ICON, layout="wide")
pages = {
    "Watch": [
        st.Page(_VIEWS / "attention.py", title="Needs attention", icon=":material/warning:", default=True),
        st.Page(_VIEWS / "fleet.py", title="Fleet", icon=":material/groups:", url_path="fleet"),
        st.Page(_VIEWS / "run.py", title="Runs", icon=":material/account_tree:", url_path="run"),
        st.Page(_VIEWS / "cost.py", title="Cost", icon=":material/payments:", url_path="cost"),
    ],
    "Ask": [
        st.Page(_VIEWS / "change.py", title="Who changed it?", icon=":material/edit_note:", url_path="change"),
        st.Page(_VIEWS / "delegation.py", title="On whose behalf?", icon=":material/linear_scale:", url_path="delegation"),
        st.Page(_VIEWS / "again.py", title="Why again?", icon=":material/replay:", url_path="again"),
        st.Page(_VIEWS / "radius.py", title="Blast radius", icon=":material/crisis_alert:", url_path="radius"),
        st.Page(_VIEWS / "sql.py", title="SQL", icon=":material/database:", url_path="sql"),
    ],
    "Keep": [
        st.Page(_VIEWS / "alerts.py", title="Alerts", icon=":material/notifications:", url_path="alerts"),
        st.Page(_VIEWS / "coverage.py", title="Coverage", icon=":material/fact_check:", url_path="coverage"),
        st.Page(_VIEWS / "ingest.py", title="Ingest health", icon=":material/input:", url_path="ingest"),
    ],
    "": [
        st.Page(_VIEWS / "finding.py", title="Finding", icon=":material/flag:", url_path="finding", visibility="hidden"),
        st.Page(_VIEWS / "compare.py", title="Compare", icon=":material/compare_arrows:", url_path="compare", visibility="hidden"),
        st.Page(_VIEWS / "actor.py", title="Actor", icon=":material/person:", url_path="actor", visibility="hidden"),
    ],
}
if viewer.gate():
    chosen = st.navigation(pages)
    st.html(_STYLE)
    st.logo(_ICON, size="large")
    with st.sidebar:
        st.toggle("Live", value=True, key="live", help="Pages refresh themselves every two seconds; off, they stand still.")
        live(_health)
        viewer.badge()
    if chosen.url_path == "":
        _follow_permalink()
    chosen.run()
