"""The demo fleet: several services, healthy and misbehaving agents, sent through real OTLP exporters."""

from actorscope.demo.command import main

__all__ = ["main"]
