"""YAML files as mappings that know their line, read through checks that collect problems instead of raising."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import yaml

from actorscope.errors import Problem


class Block(dict[str, Any]):
    """A mapping of the file; `where` is `folder/file:line`."""

    where: str = ""


class _Loader(yaml.SafeLoader):
    """Safe loader that keeps lines and notices repeated keys, which YAML itself would silently merge."""

    place: str = ""
    repeated: list[Problem]

    def block(self, node: yaml.MappingNode) -> Any:
        block = Block()
        block.where = f"{self.place}:{node.start_mark.line + 1}"
        # Yielded before it is filled: PyYAML builds children afterwards, which anchors and aliases need.
        yield block
        for key_node, value_node in node.value:
            key = str(self.construct_object(key_node, deep=True))
            if key in block:
                line = key_node.start_mark.line + 1
                self.repeated.append(Problem(f"{self.place}:{line}", f"key `{key}` is given twice"))
            block[key] = self.construct_object(value_node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _Loader.block)


@dataclass
class Source:
    """Reads typed fields out of blocks; whatever does not fit becomes a problem and an empty value."""

    problems: list[Problem] = field(default_factory=list)

    def say(self, where: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(where, message, hint))

    def read(self, path: Path) -> Block:
        """The mapping at the top of a file; an empty one, and a problem, if there is none."""
        place = f"{path.parent.name}/{path.name}"
        try:
            loader = _Loader(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            self.say(place, f"cannot be read: {error}")
            return Block()
        loader.place, loader.repeated = place, []
        try:
            data = loader.get_single_data()
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            self.say(f"{place}:{line}", f"is not YAML: {error.problem}")
            return Block()
        finally:
            self.problems.extend(loader.repeated)
            loader.dispose()
        if not isinstance(data, Block):
            self.say(f"{place}:1", "is not a mapping")
            return Block()
        return data

    def only(self, block: Block, known: Iterable[str]) -> None:
        """Refuses keys that nobody would read: a misspelt key must not vanish."""
        allowed = sorted(known)
        for key in block:
            if key not in allowed:
                self.say(block.where, f"unknown key `{key}`", f"known: {', '.join(allowed)}")

    def text(self, block: Block, key: str, required: bool = False) -> str:
        value = block.get(key)
        if value is None:
            if required:
                self.say(block.where, f"`{key}` is missing")
            return ""
        if not isinstance(value, str):
            self.say(block.where, f"`{key}` must be text, not {type(value).__name__}", "put it in quotes")
            return ""
        # Folded and literal blocks end in a line break that belongs to the file, not to the sentence.
        return value.strip()

    def choice(self, block: Block, key: str, options: Any, default: str = "") -> Any:
        """One of the values of a `Literal`; the default, or else the first one, stands in for a wrong value."""
        allowed = get_args(options)
        value = self.text(block, key, required=not default) or default
        if value and value not in allowed:
            self.say(block.where, f"`{key}` is `{value}`", f"one of {', '.join(allowed)}")
        return value if value in allowed else default or allowed[0]

    def blocks(self, block: Block, key: str) -> list[Block]:
        """The mappings of a list; an absent list is an empty one."""
        found = []
        for number, value in enumerate(self.items(block, key), start=1):
            if isinstance(value, Block):
                found.append(value)
            else:
                self.say(block.where, f"entry {number} of `{key}` is not a mapping")
        return found

    def items(self, block: Block, key: str) -> list[Any]:
        value = block.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.say(block.where, f"`{key}` is not a list")
            return []
        return value

    def flag(self, block: Block, key: str) -> bool:
        value = block.get(key, False)
        if not isinstance(value, bool):
            self.say(block.where, f"`{key}` must be true or false")
            return False
        return value
