"""Who looks, and what they may do."""

from __future__ import annotations

import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.access import reaches
from actorscope.dashboards.parts.text import line


def name() -> str:
    """The name that stands under what this person writes: that of the login, else what they say it is."""
    if data.access().has_login:
        return str(st.user.get("email") or st.user.get("name") or st.user.get("sub") or "")
    return str(st.session_state.get("viewer", ""))


def ask_name() -> str:
    """The name, asked for where nobody logs in."""
    if data.access().has_login:
        return name()
    said = st.text_input("Your name", value=name(), max_chars=200, help="Stands under what you write here.")
    st.session_state["viewer"] = (said or "").strip()
    return name()


def role() -> str:
    """The role of this person; empty for strangers."""
    return data.access().of_person(st.user.to_dict() if data.access().has_login else {})


def may(needed: str) -> bool:
    """Whether this person has at least this role."""
    return reaches(role(), needed)


def gate() -> bool:
    """Ask for a login where one is needed; False while there is none."""
    if may("viewer"):
        return True
    st.title("Actorscope", anchor=False)
    if st.user.get("is_logged_in"):
        st.warning("You are logged in, but nobody has given you a role here.", icon=":material/block:")
        badge()
        return False
    st.text("This explorer asks who you are.")
    if st.button("Log in", type="primary", icon=":material/login:"):
        st.login()
    return False


def badge() -> None:
    """Who is logged in, and the way out."""
    if data.access().has_login and st.user.get("is_logged_in"):
        st.text(f"{line(name(), 60)}  ({role() or 'no role'})")
        if st.button("Log out", icon=":material/logout:", type="tertiary"):
            st.logout()
