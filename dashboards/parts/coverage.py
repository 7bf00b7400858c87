"""The coverage of one actor: per question what is known, by which rule, and the lines that say what is missing."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.text import label, line

NOBODY = "(no agent known)"


def cell(question: dict[str, Any]) -> str:
    """Readable without colour: the score, and how many facts are declared."""
    if question["score"] is None:
        return "–"
    return f"{question['score']:.0%} · {question['declared']} of {question['needed']}"


def _facts(question: dict[str, Any]) -> pl.DataFrame:
    facts = question["facts"]
    return pl.DataFrame(
        {
            "Fact": [fact["name"] for fact in facts],
            "Known": [words.KNOWN[fact["state"]] for fact in facts],
            "Share": [f"{fact['share']:.0%} of {fact['spans']}" if fact["spans"] else "–" for fact in facts],
            "Asked of": [fact["of"] for fact in facts],
            "By which rule": [line(_rule(fact), 300) for fact in facts],
        }
    )


def _rule(fact: dict[str, Any]) -> str:
    rules = fact["rules"]
    if not rules:
        return str(fact["how"])
    return str(rules[0]["rule"]) + (f" (+{len(rules) - 1} more)" if len(rules) > 1 else "")


def _question(question: dict[str, Any]) -> None:
    st.text(question["title"])
    if not question["needed"]:
        st.info("Nothing that this actor did asks for it.", icon=":material/done:")
        return
    st.dataframe(_facts(question), hide_index=True, height="content", alt=f"Facts: {question['title']}")
    fixes = [f"# {fact['name']}: {fact['state']}\n{fact['fix']}" for fact in question["facts"] if fact["fix"]]
    if not fixes:
        st.success("All of it is declared.", icon=":material/check:")
        return
    st.text("Lines that say it, each where the work is done:")
    st.code("from actorscope import semconv\n\n" + "\n\n".join(fixes), language="python", wrap_lines=True)


def actor_coverage(actor: dict[str, Any]) -> None:
    """The panel under the table: each question with its facts, then the rules."""
    st.subheader(label(actor["actor_name"] or NOBODY), anchor=False)
    st.code(line(actor["actor_id"] or "-"), language=None)
    for name in ("services", "dialects"):
        if actor[name]:
            st.text(f"{name}: {line(', '.join(actor[name]), 600)}")
    tabs = st.tabs([f"{words.QUESTIONS[q['id']]}: {cell(q)}" for q in actor["questions"]])
    for tab, question in zip(tabs, actor["questions"], strict=True):
        with tab:
            _question(question)
    with st.expander("Which rule of which dialect filled which column, on a sample of spans", icon=":material/rule:"):
        found = actor["recognised"]
        columns = {"Column": "column", "Basis": "basis", "Spans": "spans", "Rule": "rule"}
        table = {title: [line(rule[key], 300) for rule in found] for title, key in columns.items()}
        st.dataframe(pl.DataFrame(table), hide_index=True, height="content", alt="Rules")
