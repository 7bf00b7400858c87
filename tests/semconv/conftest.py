"""A registry small enough to read, and the means to spoil it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

MANIFEST = """\
namespace: acme
schema_url: https://acme.example/schemas/acme/0.1.0
upstream_namespaces: [gen_ai]
"""

WORDS = """\
file_format: definition/2
attributes:
  - key: acme.delegation.id
    type: string
    brief: Identifier of a delegation.
    examples: ["dlg_1"]
    stability: development
  - key: acme.delegation.mode
    type:
      members:
        - id: wait
          value: "wait"
          brief: The delegator waits.
          stability: development
        - id: detached
          value: "detached"
          brief: The delegator does not wait.
          stability: development
    brief: What the delegator does | meanwhile.
    stability: development
  - key: acme.delegation.scopes
    type: string[]
    brief: What the delegate may do.
    note: >
      First line
      and second line.
    examples:
      - ["a:read", "a:write"]
    stability: development
attribute_groups:
  - id: acme.delegation.common
    visibility: internal
    attributes:
      - ref: acme.delegation.id
      - ref: acme.delegation.mode
        requirement_level:
          conditionally_required: if it is known
  - id: acme.core
    visibility: public
    brief: Record these first.
    stability: development
    attributes:
      - ref: acme.delegation.id
spans:
  - type: acme.delegate.internal
    kind: internal
    name:
      note: "`delegate {acme.delegation.id}`"
    brief: Handing work over.
    stability: development
    attributes:
      - ref_group: acme.delegation.common
      - ref: acme.delegation.id
        requirement_level: required
        sampling_relevant: true
      - ref: gen_ai.agent.name
        requirement_level: opt_in
span_refinements:
  - id: acme.invoke_agent.internal
    ref: gen_ai.invoke_agent.internal
    brief: An agent at work.
    attributes:
      - ref_group: acme.delegation.common
events:
  - name: acme.delegation.accepted
    brief: The delegate took the work.
    stability: development
    attributes:
      - ref: acme.delegation.scopes
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a registry folder, the sound one unless told otherwise."""

    def _write(words: str = WORDS, manifest: str = MANIFEST) -> Path:
        folder = tmp_path / "registry"
        folder.mkdir(exist_ok=True)
        (folder / "manifest.yaml").write_text(manifest, encoding="utf-8")
        (folder / "words.yaml").write_text(words, encoding="utf-8")
        return folder

    return _write


@pytest.fixture
def words() -> str:
    return WORDS
