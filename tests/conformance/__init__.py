"""Recordings of real frameworks against what really happened: every fact that the data can show is shown, and none is made up."""
