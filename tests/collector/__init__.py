"""Tests of the parts of the collector from outside, against what Python says."""
