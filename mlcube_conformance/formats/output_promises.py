"""Reads what `conformance.yaml` promises of the outputs of a task."""

from __future__ import annotations

import re
import warnings
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mlcube_conformance.formats.json_schema import as_json, check_schema, in_words
from mlcube_conformance.formats.task_promises import (
    below_cube,
    bytes_of,
    stays_below,
    unknown,
)
from mlcube_conformance.promise import OutputPromise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Parameter, Task

__all__ = ["read_outputs"]

_WHOLE = "."
_FILES = ("sha256", "matches")
_DOCUMENTS = ("json", "yaml", "csv")
#: What a cube has already: no snapshot is stored there.
_TAKEN = frozenset(
    {
        *("mlcube.yaml", "conformance.yaml", "tasks", "run", "platform", "platforms"),
        *("build", "workspace", "Dockerfile"),
    }
)
_FOLDER_ONLY = ("contains", "absent")


def read_outputs(
    at: Located, task: Task, root: Path, problems: Problems
) -> tuple[tuple[OutputPromise, ...], dict[str, tuple[str, ...]]]:
    """Return what is promised of outputs, and those that are always the same bytes.

    Args:
        at: The promises of the task, which follow the schema.
        task: The task.
        root: Folder of the cube.
        problems: Takes what is wrong.

    Returns:
        The promises; and for each output that is the same bytes, the patterns of its
        files that are not.
    """
    listed = at.get("outputs")
    found: list[OutputPromise] = []
    exact: dict[str, tuple[str, ...]] = {}
    known = [each.name for each in task.parameters if each.role == "output"]
    for name, promised in listed.items() if listed else ():
        parameter = task.parameter(name, "output")
        if parameter is None:
            role = f"output of task {task.name!r}"
            unknown(name, role, known, promised, problems)
            continue
        found += _Reader(parameter, root, problems).read(promised)
        same = promised.get("deterministic")
        if same is not None and same.value is not False:
            patterns = same.get("except")
            exact[name] = tuple(as_json(patterns)) if patterns else ()
    return tuple(found), exact


class _Reader:
    """Reads the promises of one output."""

    def __init__(self, parameter: Parameter, root: Path, problems: Problems) -> None:
        self._output = parameter
        self._root = root
        self._problems = problems

    def read(self, promised: Located) -> Iterator[OutputPromise]:
        """Yield what is promised, one promise at a time."""
        for key, at in promised.items():
            if key in _FOLDER_ONLY:
                if self._is_folder(key, at):
                    yield self._promise(key, at, patterns=as_json(at))
            elif key == "size":
                yield self._size(at)
            elif key in _FILES:
                yield from self._of_files(key, at)
            elif key in _DOCUMENTS:
                for each in at.value:
                    yield from self._values(key, each)
            elif key == "same":
                yield self._promise(key, at, **_near(at))
            elif key == "snapshot":
                yield from self._snapshot(at)

    def _promise(self, kind: str, at: Located, **rule: Any) -> OutputPromise:  # noqa: ANN401 - as JSON knows it
        return OutputPromise(
            output=self._output.name, kind=kind, rule=rule, source=at.source
        )

    def _is_folder(self, key: str, at: Located) -> bool:
        if self._output.kind != "file":
            return True
        self._problems.add(
            f"the output {self._output.name!r} is a file: {key!r} is about folders",
            at,
            expected="a promise of a file, such as size, sha256 or matches",
            do=f"remove {key!r}",
        )
        return False

    def _size(self, at: Located) -> OutputPromise:
        if not at.is_mapping():
            return self._promise(
                "size", at, at_least=bytes_of(at), at_most=bytes_of(at)
            )
        limits = {key: bytes_of(value) for key, value in at.items()}
        return self._promise("size", at, **limits)

    def _of_files(self, key: str, at: Located) -> Iterator[OutputPromise]:
        named = at.items() if at.is_mapping() else ((_WHOLE, at),)
        for file, value in named:
            if self._is_in_output(file, value, named=at.is_mapping()) and (
                key == "sha256" or self._is_pattern(value)
            ):
                name = str(PurePosixPath(file))
                yield self._promise(key, value, file=name, value=value.text())

    def _is_in_output(self, file: str, at: Located, *, named: bool) -> bool:
        if self._output.kind == "file":
            right = not named
            expected, do = "no name: the output is a file", "leave the name out"
        else:
            right = named and stays_below(file)
            expected = "the path of a file in the output folder, without .."
            do = "name the file"
        if not right:
            self._problems.add(
                f"which file of the output {self._output.name!r} is meant?",
                at,
                found=file if named else "no name of a file",
                expected=expected,
                do=do,
            )
        return right

    def _is_pattern(self, at: Located) -> bool:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "[[a]" means something else one day.
                re.compile(at.text())
        except (re.error, OverflowError, RecursionError) as error:
            self._problems.add(
                "the regular expression is invalid",
                at,
                found=f"{at.text()[:80]}: {error}",
                expected=in_words({"description": "an expression of Python's re"}, {}),
                do="fix the expression",
            )
            return False
        return True

    def _values(self, key: str, at: Located) -> Iterator[OutputPromise]:
        file, path, schema = (at.get(each) for each in ("file", "path", "schema"))
        right = self._is_in_output(
            file.text() if file else _WHOLE, file or at, named=file is not None
        )
        if path is not None:
            right &= self._is_path(path)
        rule = {name: as_json(value) for name, value in at.items()}
        rule["file"] = file.text() if file else _WHOLE
        if schema is not None and schema.is_mapping():
            right &= self._is_schema(schema)
        elif schema is not None:
            place = below_cube(schema, self._root, self._problems)
            right &= place is not None
            rule["schema_file"] = str(place)
        if right:
            yield self._promise(key, at, **rule)

    def _is_path(self, at: Located) -> bool:
        import jmespath  # noqa: PLC0415 - for few cubes

        try:
            jmespath.compile(at.text())
        except (jmespath.exceptions.JMESPathError, RecursionError) as error:
            self._problems.add(
                "the path of a value is invalid",
                at,
                found=f"{at.text()[:80]}: {str(error).splitlines()[0]}",
                expected="a path of JMESPath, such as epochs[-1].loss",
                do="fix the path; put names with other characters in double quotes",
            )
            return False
        return True

    def _is_schema(self, at: Located) -> bool:
        from jsonschema.exceptions import SchemaError  # noqa: PLC0415 - for few cubes

        document = as_json(at)
        try:
            check_schema(document)
        except (SchemaError, RecursionError) as error:
            self._problems.add(
                "the JSON Schema is invalid",
                at,
                found=str(getattr(error, "message", error))[:200],
                expected="a JSON Schema of the draft that it names, or 2020-12",
                do="fix the schema",
            )
            return False
        return True

    def _is_free(self, at: Located) -> bool:
        """Say whether a snapshot may be stored there: it replaces what is there."""
        first = PurePosixPath(at.text()).parts[0]
        if first not in _TAKEN and not first.startswith("."):
            return True
        self._problems.add(
            "a snapshot must be in a folder of its own",
            at,
            found=at.text(),
            expected="a path such as expected/counts.json",
            do=f"name another place: {first} is part of the cube",
        )
        return False

    def _snapshot(self, at: Located) -> Iterator[OutputPromise]:
        file = at.get("file") if at.is_mapping() else at
        if file is None:
            return
        place = below_cube(file, self._root, self._problems, is_there=False)
        if place is not None and self._is_free(file):
            yield self._promise("snapshot", at, place=str(place), **_near(at))


def _near(at: Located) -> dict[str, Any]:
    """Return what does not count where two results are compared."""
    ignore, tolerance = at.get("ignore"), at.get("tolerance")
    return {
        "ignore": as_json(ignore) if ignore else [],
        "tolerance": tolerance.value if tolerance else 0,
    }
