"""YAML that remembers where each value stood.

PyYAML's node graph is read and never constructed: no tag can make an object
(YAML 1.1, safe schema). Size, depth and number of values are bounded while the file is
scanned, before there are nodes: a file is read or refused within a second.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.base.files import read_text, resolved, unreadable
from mlcube_conformance.base.source import Source
from mlcube_conformance.formats.yaml_faults import not_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlcube_conformance.base.files import RealPaths

__all__ = ["Located", "read_yaml"]

#: Tag of the key `<<` (https://yaml.org/type/merge.html).
_MERGE = "tag:yaml.org,2002:merge"
_MAX_DEPTH = 50
_MAX_VALUES = 10_000
#: Words and characters of the scanner: what as many values need, and more.
_MAX_TOKENS = 30_000
#: Characters of a key, and of a number, a date or the like.
_MAX_KEY = 250
_MAX_NUMBER = 100
#: Characters of a text that is too small for the limits of values and of depth.
_SMALL = 4000
#: Characters that libyaml takes in places where PyYAML, as the official tools use it,
#: refuses them.
_READ_OTHERWISE = "\t?\ufeff"
#: Letters of a value, and of a path of keys, that a message shows.
_MAX_SHOWN = 80
_MAX_PATH = 500
_TOO_MUCH = "more values or deeper nesting (aliases count each time)"

_KINDS = {str: "text", bool: "a truth value", int: "a number", float: "a number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A value of a YAML file, with the place where it stands."""

    value: Any
    """`dict[str, Located]`, `list[Located]`, or a scalar of the safe schema."""
    source: Source
    duplicates: tuple[str, ...] = ()
    """Keys of a mapping that were written more than once; the last one counts."""
    written: str = ""
    """A scalar that is not text, as the file has it: YAML 1.1 makes 3.1 of `3.10`,
    420 of `0644` and 45000 of `12:30:00`."""

    @property
    def kind(self) -> str:
        """Say in words what the value is."""
        if self.value is None:
            return "nothing (null)"
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        shown = self.written or repr(self.value)
        if len(shown) > _MAX_SHOWN:
            shown = f"{shown[: _MAX_SHOWN - 1]}…"
        return f"{_KINDS.get(type(self.value), 'a value')} ({shown})"

    def is_mapping(self) -> bool:
        """Say whether the value is a mapping."""
        return isinstance(self.value, dict)

    def get(self, key: str) -> Located | None:
        """Return the value under a key, or None when it does not exist."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return found if _is_located(found) else None

    def items(self) -> Iterator[tuple[str, Located]]:
        """Yield the keys and values of a mapping, in the order of the file."""
        if isinstance(self.value, dict):
            yield from self.value.items()

    def text(self) -> str:
        """Return the value as text, or "" when it is not text."""
        return self.value if isinstance(self.value, str) else ""

    def as_written(self) -> str:
        """Return a text, a number, a date or a truth value as the file has it."""
        return self.text() or ("" if self.value is None else self.written)


def _is_located(value: object) -> TypeGuard[Located]:
    return isinstance(value, Located)


def read_yaml(file: Path, *roots: Path, real_paths: RealPaths | None = None) -> Located:
    """Read one YAML file.

    Args:
        file: The file.
        roots: Folders in one of which it must be, with its links followed; none for
            a file that the user named.
        real_paths: Knows where folders point to that others were just read from.

    Raises:
        Violation: The file cannot be read, is too large, or is not YAML.
    """
    text = read_text(file, *roots, real_paths=real_paths)
    try:
        node = _compose(text)
    except _LimitError as error:
        raise _too_much(file) from error
    except yaml.MarkedYAMLError as error:
        shown = bool(roots) or resolved(file) == file
        source = _source(file, error.problem_mark)
        raise not_yaml(error, source, shown=shown) from error
    except (yaml.YAMLError, ValueError, LookupError) as error:  # a code of no sign, …
        raise unreadable(file, str(error), "valid YAML") from error
    if node is None:
        return Located(value=None, source=Source(file=file, line=1))
    return _Reader(file).locate(node, "", 0)


def _compose(text: str) -> yaml.Node | None:
    if (
        _FastLoader
        and _SmallLoader
        and not any(each in text for each in _READ_OTHERWISE)
    ):
        # What libyaml refuses is read again in Python, whose messages show the line.
        with suppress(yaml.YAMLError):
            kind = _SmallLoader if len(text) <= _SMALL else _FastLoader
            return _single_node(kind(text))
    return _single_node(_Loader(text))


def _single_node(loader: Any) -> yaml.Node | None:  # noqa: ANN401 - either loader
    try:
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


class _LimitError(Exception):
    """There is more in a file than is read."""


class _Limits(Composer):
    """Makes nodes of a text, and ends as soon as there are too many or too deep."""

    _nodes = _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._nodes += 1
        self._depth += 1
        if self._nodes > 2 * _MAX_VALUES or self._depth > _MAX_DEPTH + 1:
            raise _LimitError
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Numbers(Resolver):
    """Takes what is too long for a number, a date or the like as text."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> Any:  # noqa: ANN401 - as PyYAML has them
        if kind is yaml.ScalarNode and implicit[0] and len(value) > _MAX_NUMBER:
            implicit = (False, True)  # Text: to look for a number takes its time.
        return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]


class _Loader(_Limits, _Numbers, yaml.SafeLoader):
    """Reads a text in Python: slowly, with messages that show the line."""

    _fetched = 0

    def fetch_more_tokens(self) -> None:
        self._fetched += 1
        if self._fetched > _MAX_TOKENS:
            raise _LimitError
        super().fetch_more_tokens()


def _fast_loaders() -> tuple[type[Any] | None, type[Any] | None]:
    """Return loaders that scan by libyaml, or None where PyYAML lacks it.

    libyaml gives the first one event after another, so the limits end it as soon. The
    second has libyaml make the nodes too; it is for small texts only.
    """
    try:
        from yaml._yaml import CParser  # noqa: PLC0415 - it may be missing
    except ImportError:
        return None, None

    class FastLoader(_Limits, CParser, _Numbers):
        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            Composer.__init__(self)
            Resolver.__init__(self)

    class SmallLoader(CParser, _Numbers):
        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            Resolver.__init__(self)

    return FastLoader, SmallLoader


_FastLoader, _SmallLoader = _fast_loaders()


def _too_much(file: Path) -> Violation:
    return unreadable(
        file, _TOO_MUCH, f"at most {_MAX_VALUES} values, {_MAX_DEPTH} deep"
    )


def _source(file: Path, mark: yaml.Mark | None, key: str = "") -> Source:
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Source(file=file, line=line, key=key, column=column)


def _in_words(node: yaml.Node) -> str:
    """Say what a node is, without what PyYAML calls it."""
    tag = str(node.tag).replace("tag:yaml.org,2002:", "!!")
    if isinstance(node, yaml.ScalarNode):
        return f"the tag {tag}, {str(node.value)[:40]!r}"
    kind = "a mapping" if isinstance(node, yaml.MappingNode) else "a list"
    plain = tag in {"!!map", "!!seq"}
    return f"{kind} instead of a key" if plain else f"{kind} with the tag {tag}"


class _Reader:
    """Turns nodes into located values, within the limits."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen = 0
        self._scalars = SafeConstructor()

    def locate(self, node: yaml.Node, key: str, depth: int) -> Located:
        source = _source(self._file, node.start_mark, key)
        self._seen += 1
        if self._seen > _MAX_VALUES or depth > _MAX_DEPTH:
            raise _too_much(self._file)
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
        value = self._scalar(node, source)
        written = "" if isinstance(value, str) else str(node.value)
        return Located(value=value, source=source, written=written)

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
            if len(name) > _MAX_KEY:
                raise unreadable(
                    self._file,
                    f"a key of {len(name)} characters in line {source.line} or below",
                    f"keys of at most {_MAX_KEY} characters",
                )
            path = f"{source.key}.{name}" if source.key else name
            if len(path) > _MAX_PATH:
                path = f"…{path[-_MAX_PATH:]}"
            if name in values and name not in merged:
                duplicates.append(name)
            merged.discard(name)
            values[name] = self.locate(value_node, path, depth + 1)
        return Located(value=values, source=source, duplicates=tuple(duplicates))

    def _merged(
        self, node: yaml.Node, source: Source, depth: int
    ) -> dict[str, Located]:
        """Return the mappings of `<<`: one, or several of which the first wins."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        values: dict[str, Located] = {}
        for each in reversed(nodes):
            if not isinstance(each, yaml.MappingNode):
                raise self._not_plain(each, source)
            values.update(self.locate(each, source.key, depth + 1).value)
        return values

    def _scalar(self, node: yaml.Node, source: Source) -> object:
        if node.tag == "tag:yaml.org,2002:str" and isinstance(node, yaml.ScalarNode):
            return str(node.value)
        if len(str(node.value)) > _MAX_NUMBER:
            raise self._not_plain(node, source)
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
                found=_in_words(node),
                expected="mappings, lists, text, numbers, truth values or nothing",
                do="remove the tag, or quote the value",
            )
        )
