"""The explorer's entry: a placeholder page until the views are registered."""

import streamlit as st

st.title("Actorscope")
