"""YAML that remembers where each value stood.

PyYAML's node graph is read and never constructed: no tag can make an object
(YAML 1.1, safe schema), and size, depth and number of values are bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import yaml

from mlcube_conformance.errors import Message, Violation
from mlcube_conformance.model import Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Located", "read_yaml"]

#: Tag of the key `<<` (https://yaml.org/type/merge.html).
_MERGE = "tag:yaml.org,2002:merge"
_MAX_BYTES = 1024 * 1024
_MAX_DEPTH = 50
_MAX_VALUES = 10_000

_KINDS = {str: "text", bool: "a truth value", int: "a number", float: "a number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A value of a YAML file, with the place where it stands."""

    value: Any
    """`dict[str, Located]`, `list[Located]`, or a scalar of the safe schema."""
    source: Source
    duplicates: tuple[str, ...] = ()
    """Keys of a mapping that were written more than once; the last one counts."""

    @property
    def kind(self) -> str:
        """Say in words what the value is."""
        if self.value is None:
            return "nothing (null)"
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        return f"{_KINDS.get(type(self.value), 'a value')} ({self.value!r})"

    def is_mapping(self) -> bool:
        """Say whether the value is a mapping."""
        return isinstance(self.value, dict)

    def get(self, key: str) -> Located | None:
        """Return the value under a key, or None when it is not there."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return found if _is_located(found) else None

    def items(self) -> Iterator[tuple[str, Located]]:
        """Yield the keys and values of a mapping, in the order of the file."""
        if isinstance(self.value, dict):
            yield from self.value.items()

    def text(self) -> str:
        """Return the value as text, or "" when it is not text."""
        return self.value if isinstance(self.value, str) else ""


def _is_located(value: object) -> TypeGuard[Located]:
    return isinstance(value, Located)


def read_yaml(file: Path) -> Located:
    """Read one YAML file.

    Raises:
        Violation: The file cannot be read, is too large, or is not YAML.
    """
    try:
        if not file.is_file():
            raise _not_readable(file, "no plain file", "a file")  # it may never end
        with file.open("rb") as opened:
            content = opened.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise _not_readable(file, "more bytes", f"at most {_MAX_BYTES} bytes")
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_readable(file, f"byte {error.start} is no UTF-8", "UTF-8") from error
    except OSError as error:
        raise _not_readable(file, str(error.strerror), "a readable file") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(file, error) from error
    except yaml.YAMLError as error:
        raise _not_readable(file, str(error), "valid YAML") from error
    except RecursionError as error:
        raise _not_readable(
            file, "deeply nested values", f"a depth of at most {_MAX_DEPTH}"
        ) from error
    if node is None:
        return Located(value=None, source=Source(file=file, line=1))
    return _Reader(file).locate(node, "", 0)


def _not_readable(file: Path, found: str, expected: str) -> Violation:
    return Violation(
        Message(
            what=f"{file.name} cannot be read",
            where=str(file),
            found=found,
            expected=expected,
            do="mend the file",
        )
    )


def _not_yaml(file: Path, error: yaml.MarkedYAMLError) -> Violation:
    mark = error.problem_mark
    line = mark.line + 1 if mark else 0
    column = mark.column + 1 if mark else 0
    snippet = (mark.get_snippet(indent=0) if mark else "") or ""
    problem = error.problem or "no YAML"
    return Violation(
        Message(
            what=f"{file.name} is not YAML",
            where=f"{Source(file=file, line=line)}, column {column}",
            found=f"{problem}\n{snippet}".rstrip(),
            expected="valid YAML",
            do="mend the line (tabs, an unclosed quote or bracket, a missing colon?)",
        )
    )


class _Reader:
    """Turns nodes into located values, within the limits."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen = 0
        self._scalars = yaml.SafeLoader("")

    def locate(self, node: yaml.Node, key: str, depth: int) -> Located:
        source = Source(file=self._file, line=node.start_mark.line + 1, key=key)
        self._seen += 1
        if self._seen > _MAX_VALUES or depth > _MAX_DEPTH:
            raise _not_readable(
                self._file,
                "more values or deeper nesting (aliases count each time)",
                f"at most {_MAX_VALUES} values, {_MAX_DEPTH} deep",
            )
        if isinstance(node, yaml.MappingNode):
            self._expect_tag(node, "map", source)
            return self._mapping(node, source, depth)
        if isinstance(node, yaml.SequenceNode):
            self._expect_tag(node, "seq", source)
            values = [
                self.locate(each, f"{key}[{index}]", depth + 1)
                for index, each in enumerate(node.value)
            ]
            return Located(value=values, source=source)
        return Located(value=self._scalar(node, source), source=source)

    def _mapping(self, node: yaml.MappingNode, source: Source, depth: int) -> Located:
        values: dict[str, Located] = {}
        duplicates = []
        own = [pair for pair in node.value if pair[0].tag != _MERGE]
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                values.update(self._merged(value_node, source, depth))
        merged = set(values)
        for key_node, value_node in own:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._not_plain(key_node, source)
            name = str(key_node.value)
            path = f"{source.key}.{name}" if source.key else name
            if name in values and name not in merged:
                duplicates.append(name)
            merged.discard(name)
            values[name] = self.locate(value_node, path, depth + 1)
        return Located(value=values, source=source, duplicates=tuple(duplicates))

    def _merged(
        self, node: yaml.Node, source: Source, depth: int
    ) -> dict[str, Located]:
        """Return what `<<` brings: one mapping, or several of which the first wins."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        values: dict[str, Located] = {}
        for each in reversed(nodes):
            if not isinstance(each, yaml.MappingNode):
                raise self._not_plain(each, source)
            values.update(self.locate(each, source.key, depth + 1).value)
        return values

    def _scalar(self, node: yaml.Node, source: Source) -> object:
        try:
            return self._scalars.construct_object(node)
        except Exception as error:  # the constructors trust what they are given
            raise self._not_plain(node, source) from error

    def _expect_tag(self, node: yaml.Node, name: str, source: Source) -> None:
        if node.tag != f"tag:yaml.org,2002:{name}":
            raise self._not_plain(node, source)

    def _not_plain(self, node: yaml.Node, source: Source) -> Violation:
        return Violation(
            Message(
                what=f"{self._file.name} holds a value that is not plain data",
                where=str(source),
                found=f"the tag {node.tag}, {str(node.value)[:40]!r}",
                expected="mappings, lists, text, numbers, truth values or nothing",
                do="remove the tag, or quote the value",
            )
        )
