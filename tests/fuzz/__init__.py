"""Hostile input: parsers that strangers feed."""
