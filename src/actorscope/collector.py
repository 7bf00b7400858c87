"""What the Collector plugin reads instead of a copy of its own: columns, dialects and words of content as one JSON file."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import yaml

from actorscope.ingest.normalise import patterns
from actorscope.ingest.normalise_native import rules as native_rules
from actorscope.ingest.redact import PRESETS
from actorscope.semconv.dialects import dialects


def rules() -> str:
    """The content of `collector/semconv/rules.json`: what the native normaliser gets, and what is content."""
    made: dict[str, Any] = json.loads(native_rules(dialects(), patterns()))
    del made["edge"]  # How what the plugin writes is read again; the plugin itself touches no record twice.
    made["dialects"] = [{**d, "rules": [_brief(rule) for rule in d["rules"]]} for d in made["dialects"]]
    made["content"] = yaml.safe_load(files("actorscope.semconv").joinpath("content.yaml").read_text())
    made["redact_presets"] = {name: list(patterns) for name, patterns in PRESETS.items()}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _brief(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule without what it does not say."""
    return {key: value for key, value in rule.items() if value or (key == "constant" and value is not None)}
