"""Reports on runs, written from their records by `mlcube-conformance report`."""

from __future__ import annotations

import json
import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from click.testing import CliRunner, Result

from mlcube_conformance.clauses import clause as clause_of
from mlcube_conformance.commands.project import app
from mlcube_conformance.results.formats import report_options
from mlcube_conformance.results.record import Record
from tests.command import call
from tests.cube_folders import CubeFolder, make_cube
from tests.records import record_in
from tests.results.made_records import cube_record, finding, ran

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = json.loads(
    files("mlcube_conformance.results").joinpath("record.schema.json").read_text()
)
#: File of each report, by its option.
FILES = {name: f"new/out{suffix}" for name, suffix in report_options().items()}


def report(*words: str | Path) -> Result:
    """Run the command in the current folder."""
    return CliRunner().invoke(app, ["report", *map(str, words)])


def write(place: Path, name: str, record: Mapping[str, Any]) -> Path:
    """Write a record that keeps to the schema."""
    jsonschema.validate(record, SCHEMA)
    file = place / name
    file.write_text(json.dumps(record), encoding="utf-8")
    return file


def all_reports(*records: Path, place: Path) -> dict[str, str]:
    """Return the text of each report, by its option."""
    words = [w for name, file in FILES.items() for w in (f"--{name}", place / file)]
    done = report(*records, *words)
    assert done.exit_code == 0, done.output
    return {
        name: (place / file).read_text(encoding="utf-8") for name, file in FILES.items()
    }


def numbers_of(name: str, text: str) -> Counter[str]:
    """Return what a report counts: passed, bad, and all others."""
    if name == "junit":
        top = ET.fromstring(text)  # noqa: S314 - ours
        given = {key: int(top.get(key, "0")) for key in ("failures", "errors")}
        bad, skipped = sum(given.values()), int(top.get("skipped", "0"))
        cases = [*top.iter("testcase")]
        assert len(cases) == int(top.get("tests", "0"))
        assert sum(len(each.findall("skipped")) for each in cases) == skipped
        return Counter(passed=len(cases) - bad - skipped, bad=bad, others=skipped)
    pattern = {
        "html": r'data-count="(\d+)" data-of="([a-z ]+)"',
        "md": r"(\d+) ([a-z ]+)",
        "badge": r"(\d+) ([a-z ]+)",
    }[name]
    part = {"md": text.split("\n", maxsplit=1)[0]}
    if name == "badge":
        part[name] = text.split("title>")[1]
    found: Counter[str] = Counter()
    for count, state in re.findall(pattern, part.get(name, text)):
        is_bad = state in {"failed", "error", "unexpected pass"}
        key = "bad" if is_bad else "passed" if state == "passed" else "others"
        found[key] += int(count)
    return found


def test_each_report_names_what_explains_a_failure(tmp_path: Path) -> None:
    names = ("where", "found", "expected", "do", "log")
    texts = {"what": "it is missing", **dict.fromkeys(names, "")}
    message: dict[str, Any] = {**texts, "tail": [], "source": None}
    failed = finding("OUTPUT-1", "failed", reason="it", messages=[message])
    ours = finding("EXIT-1", "error", reason="no disk", messages=[message])
    others = finding("MINE-1", "failed", reason="it", messages=[message])
    record = write(tmp_path, "record.json", cube_record(failed, ours, others))

    found = all_reports(record, place=tmp_path)

    for name in {*found} - {"badge", "json"}:
        assert "mlcube-conformance explain OUTPUT-1" in found[name], name
    for name in {*found} - {"sarif"}:  # there, each clause is a rule with its help
        assert "explain EXIT-1" not in found[name], name
    assert "explain MINE-1" not in "".join(found.values())


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        (["error"], "L2, 1 error"),
        (["failed", "error", "error"], "L2, 1 failed, 2 errors"),
        (["passed"], "L2, failed"),
    ],
)
def test_a_badge_says_why_a_run_failed(
    verdicts: list[str], says: str, tmp_path: Path
) -> None:
    findings = [
        finding(f"EXIT-{number}", verdict)
        for number, verdict in enumerate(verdicts, start=1)
    ]
    made = cube_record(*findings)
    made["ended"]["exit_code"] = 1
    record = write(tmp_path, "record.json", made)

    badge = all_reports(record, place=tmp_path)["badge"]

    assert f'y="14">{says}</text>' in badge


def test_all_reports_of_a_run_agree_on_their_numbers(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCUBE_CONFORMANCE_FAKE", "1")
    cube = make_cube(pytester.path / "tiny")
    cube.fake_platform("fail")

    ended = pytester.runpytest_subprocess("--cube", "tiny", "--platform", "fake")

    (file,) = pytester.path.glob(".mlcube-conformance/*/record.json")
    texts = all_reports(file, place=pytester.path)
    shown = ended.parseoutcomes()
    expected = Counter(
        passed=shown["passed"], bad=shown["failed"], others=shown["skipped"]
    )
    for name in ("html", "md", "junit", "badge"):
        assert numbers_of(name, texts[name]) == expected, name
    assert json.loads(texts["json"]) == record_in(pytester.path)
    monkeypatch.setenv("MLCUBE_CONFORMANCE_TERMINAL", "tasks")
    again = pytester.runpytest_subprocess("--cube", "tiny", "--platform", "fake")
    last = r"FAILED (\d+) of (\d+) checks, (\d+) not run in .* s · logs: .*"
    found = re.fullmatch(last, again.outlines[-1])
    assert found
    bad, checks, not_run = map(int, found.groups())
    assert expected == Counter(passed=checks - bad - not_run, bad=bad, others=not_run)
    (result,) = json.loads(texts["sarif"])["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place["uri"].endswith("tiny/run/make.yaml")


HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)> ]]> &amp; | ` "
    "```` <!-- [a](javascript:alert) '\" \x1b[31mred\x00\x07\u202e\ud800 {{ 7*7 }}\n"
    "::error::taken\n##[error]taken\n# heading"
)


#: Fields with values that the schema names, and ids, which tell what belongs together.
KEPT = {
    *("at", "began", "kind", "verdict", "state", "level", "keep", "suite", "type"),
    *("id", "subject", "cube", "platform", "task"),
}


class _Elements(HTMLParser):
    """Collects what a browser would run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            text = (value or "").strip().lower()
            if name.startswith("on") or text.startswith(("javascript:", "http")):
                self.bad.append(f"{tag} {name}={value}")


def hostile(value: Any, key: str = "") -> Any:  # noqa: ANN401 - as JSON knows it
    """Return a document in which texts say what harms."""
    if isinstance(value, str):
        return value if key in KEPT else f"{value}{HOSTILE}"
    if isinstance(value, dict):
        return {name: hostile(each, name) for name, each in value.items()}
    return [hostile(each, key) for each in value] if isinstance(value, list) else value


@pytest.fixture
def texts(tmp_path: Path) -> dict[str, str]:
    """Return the reports of a record in which everything is hostile."""
    message = {
        **dict.fromkeys(("what", "where", "found", "expected", "do", "log"), "x"),
        "tail": ["x"],
        "source": {"file": "/r/tiny/x", "line": 1, "key": "x", "column": 1},
    }
    failed = finding("EXIT-1", "failed", messages=[message], facts={"again": "x"})
    record = hostile(
        cube_record(failed, finding("OUTPUT-1"), finding("", "error"), runs=(ran(),))
    )
    return all_reports(write(tmp_path, "record.json", record), place=tmp_path)


@pytest.mark.parametrize("name", sorted(FILES))
def test_nothing_that_a_cube_says_harms_a_report(
    name: str, texts: dict[str, str]
) -> None:
    text = texts[name]

    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e\ud800]", text)
    assert not re.search(r"^\s*::error", text, re.MULTILINE)
    assert "##[" not in text
    if name in {"json", "sarif"}:
        json.loads(text)
    elif name in {"junit", "badge"}:
        ET.fromstring(text)  # noqa: S314 - ours
    elif name == "html":
        parser = _Elements()
        parser.feed(text)
        assert parser.tags["script"] == parser.tags["style"] == 1
        assert parser.tags["img"] == 0
        assert parser.bad == []
        assert "{{ 7*7 }}" in unescape(text)
    elif name == "md":
        outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", text)
        assert not re.search(r"<(?!/?(details|summary)>)", outside)
        assert "](" not in outside.replace("\\]", "")
        assert "\n# heading" not in outside


def test_a_hostile_record_keeps_to_the_schema(texts: dict[str, str]) -> None:
    jsonschema.validate(json.loads(texts["json"]), SCHEMA)


def test_no_report_shows_a_secret(
    pytester: pytest.Pytester, cube_folder: CubeFolder
) -> None:
    cube_folder.tasks(make='echo "the key is $KEY"; echo "$KEY" >&2; exit 3')

    pytester.runpytest_subprocess(
        "--cube", cube_folder.root, "--platform", "local", "--env", "KEY=hunter2secret"
    )

    (file,) = pytester.path.glob(".mlcube-conformance/*/record.json")
    for lines in (file, file.with_suffix(".jsonl")):
        for name, text in all_reports(lines, place=pytester.path).items():
            assert "hunter2secret" not in text, name
    assert "the key is ***" in (pytester.path / FILES["html"]).read_text()


def test_a_killed_run_gives_a_report_of_what_it_knew(tmp_path: Path) -> None:
    whole = cube_record(runs=(ran(),))
    record = Record(tmp_path / "run")
    begun = ("suite", "run", "tool", "host", "command", "folder", "keep")
    record.begin(**{key: whole[key] for key in begun})
    for kind in ("cube", "platform"):
        for each in whole[f"{kind}s"]:
            record.event(kind, **{k: v for k, v in each.items() if k != "at"})
    for clause in ("INPUT-1", "EXIT-1"):
        known = {k: v for k, v in finding(clause).items() if k != "at"}
        record.event("finding", **known)
    record.event("run", subject="tiny-docker-use", state="begun", stdout="/r/x.log")
    with record.lines.open("a") as file:
        file.write('{"kind": "finding", "verdict": "passed"}\n{"kind": "run", "sub')

    texts = all_reports(record.lines, place=tmp_path)

    assert "killed, 2 passed" in texts["md"]
    assert "not finished" in texts["badge"]
    assert "The run was killed" in texts["html"]
    assert 'aria-label="not run: tiny · docker · use"' in texts["html"]
    assert ET.fromstring(texts["junit"]).get("errors") == "1"  # noqa: S314 - ours


def test_records_of_several_jobs_are_joined(tmp_path: Path) -> None:
    docker = cube_record(finding("EXIT-1"), runs=(ran(),), run="a")
    local = cube_record(
        finding("EXIT-1", "failed", platform="local"),
        run="b",
        platforms=("local",),
        level="L1",
    )
    written = [write(tmp_path, f"{x['run']}.json", x) for x in (docker, local, docker)]

    joined = all_reports(*written, place=tmp_path)

    assert "| cube | task | docker | local |" in joined["md"]
    assert joined["md"].startswith("## ❌ MLCube conformance: L1, 1 passed, 1 failed\n")
    document = json.loads(joined["json"])
    jsonschema.validate(document, SCHEMA)
    assert [each["run"] for each in document["parts"]] == ["a", "b"]
    again = all_reports(tmp_path / FILES["json"], place=tmp_path)
    assert again == joined


def test_a_platform_of_two_hosts_has_a_column_for_each(tmp_path: Path) -> None:
    written = [
        write(tmp_path, f"{x}.json", cube_record(finding("EXIT-1"), run=x, host=x))
        for x in ("old", "new")
    ]

    page = report(*written).output

    assert "| cube | task | docker on old | docker on new |" in page


FIRST, SECOND = (f"sha256:{each * 64}" for each in "12")


@pytest.mark.parametrize(
    ("seen", "names", "passed"),
    [
        ((("a/x", "x", FIRST), ("b/x", "x", SECOND)), ["a-x", "b-x"], 4),
        ((("a/x", "x", None), ("b/x", "x", None)), ["a-x", "b-x"], 4),
        # The same cube on two hosts: what is wrong with its files counts once.
        ((("a/x", "x", FIRST), ("b/x", "x", FIRST)), ["x"], 3),
        ((("a/x", "x", FIRST), ("a/x", "x", SECOND)), ["x"], 3),
        # One of the jobs had another cube in a folder of that name.
        ((("a/x", "x", FIRST), ("a/x", "a-x", FIRST)), ["x"], 3),
        # The only cubes of two repositories.
        (((".", "x", FIRST), (".", "y", SECOND)), ["x", "y"], 4),
    ],
)
def test_cubes_of_several_jobs_are_told_from_one_another(
    seen: tuple[tuple[str, str, str | None], ...],
    names: list[str],
    passed: int,
    tmp_path: Path,
) -> None:
    written = []
    for run, (place, name, content) in zip("ab", seen, strict=True):
        about = {"kind": "cube", "id": name, "cube": name, "platform": "", "task": ""}
        test = f"test_definitions.py::test[{name}]"
        record = cube_record(
            finding("FILE-1", subject=about, test=test),
            finding("EXIT-1", cube=name),
            runs=(ran(f"{name}-docker-make"),),
            run=run,
        )
        (cube,), (platform,) = record["cubes"], record["platforms"]
        file = f"{record['folder']}/{place}/mlcube.yaml"
        cube |= {"id": name, "file": file, "content": content}
        platform |= {"id": f"{name}-docker", "cube": name}
        written.append(write(tmp_path, f"{run}.json", record))

    joined = all_reports(*written, place=tmp_path)

    rows = re.findall(r"^\| \**([\w-]+)\** \|", joined["md"], re.MULTILINE)
    assert {*rows} - {"cube"} == {*names}
    assert f" {passed} passed" in joined["md"]
    document = json.loads(joined["json"])
    jsonschema.validate(document, SCHEMA)
    for found in (
        {each["id"] for each in document["cubes"]},
        {each["cube"] for each in document["platforms"]},
        {each["subject"]["cube"] for each in document["findings"]},
    ):
        assert found == {*names}
    assert all_reports(tmp_path / FILES["json"], place=tmp_path) == joined


METRIC = {"output": "data", "file": "m.json", "path": "accuracy", "value": 0.9}
LOSS = {**METRIC, "path": "loss", "at_most": 1}
ACCURACY = {**METRIC, "at_least": 0.5}


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ({}, {}, ""),
        ({}, {"verdict": "failed"}, "broke"),
        ({"verdict": "failed"}, {}, "fixed"),
        ({}, {"verdict": "not run"}, "lost"),
        ({}, {"verdict": "error"}, "lost"),
        ({"verdict": "error"}, {}, ""),
        ({"verdict": "error"}, {"verdict": "failed"}, ""),
        ({}, {"seconds": 14}, ""),
        ({}, {"seconds": 16}, "slower"),
        ({"seconds": 0.1}, {"seconds": 0.9}, ""),
        ({}, {"bytes": 1_300_000}, "larger"),
        ({}, {"bytes": 900_000}, ""),
        ({"metrics": [ACCURACY]}, {"metrics": [{**ACCURACY, "value": 0.895}]}, ""),
        (
            {"metrics": [ACCURACY]},
            {"metrics": [{**ACCURACY, "value": 0.8}]},
            "less accurate",
        ),
        ({"metrics": [ACCURACY]}, {"metrics": [{**ACCURACY, "value": 0.95}]}, ""),
        ({"metrics": [LOSS]}, {"metrics": [{**LOSS, "value": 0.95}]}, "less accurate"),
        ({"metrics": [LOSS]}, {"metrics": [{**LOSS, "value": 0.8}]}, ""),
        ({}, {"level": "L1"}, "lower level"),
        ({}, {"level": "L1", "keeps": "failed"}, "lower level"),
        ({}, {"level": "L1", "keeps": "error"}, "lost"),
        ({}, {"level": "L3"}, ""),
    ],
)
def test_two_records_are_compared(
    was: dict[str, Any], now: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    before, after = (
        write(tmp_path, f"{name}.json", _record(**given))
        for name, given in (("before", was), ("after", now))
    )

    words = (after, "--baseline", before, "--fail-on-regression")
    done = report(*words, "--md", tmp_path / "a.md", "--html", tmp_path / "a.html")

    page = (tmp_path / "a.md").read_text()
    kinds = re.findall(r"^\| [❌✅-] \| ([a-z ]+) \|", page, re.MULTILINE)
    assert kinds == ([expected] if expected else [])
    assert done.exit_code == (expected not in {"", "fixed", "lost"})
    html = (tmp_path / "a.html").read_text()
    assert (f">{expected}</td>" in html) if expected else ("Nothing changed" in html)


def _record(
    verdict: str = "passed",
    *,
    level: str = "L2",
    keeps: str = "",
    **measured: Any,  # noqa: ANN401 - as JSON knows it
) -> dict[str, Any]:
    size = measured.pop("bytes", 1_000_000)
    outputs = {"data": {"path": "/r/data", "files": 1, "bytes": size}}
    run = ran(outputs=outputs, **measured)
    record = cube_record(finding("OUTPUT-1", verdict), runs=(run,), level=level)
    record["levels"][0]["verdict"] = keeps
    return record


@pytest.mark.parametrize(
    ("option", "now"),
    [
        ("--max-slowdown", {"seconds": 16}),
        ("--max-growth", {"bytes": 1_300_000}),
        ("--max-loss", {"metrics": [{**ACCURACY, "value": 0.8}]}),
    ],
)
def test_thresholds_are_options(
    option: str, now: dict[str, Any], tmp_path: Path
) -> None:
    before = write(tmp_path, "before.json", _record(metrics=[ACCURACY]))
    after = write(tmp_path, "after.json", _record(**now))

    words = (after, "--baseline", before, "--fail-on-regression")

    assert report(*words).exit_code == 1
    assert report(*words, option, "90").exit_code == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no", "not JSON"),
        ("[]", "is not of type 'object'"),
        ("{}", "is a required property"),
        (json.dumps(cube_record(run="x") | {"schema_version": 2}), "1 was expected"),
        ("[" * 100_000, "not JSON"),
        ("1" * 400, "a number of 400 digits"),
    ],
)
def test_what_is_not_a_record_is_refused(text: str, found: str, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_text(text)

    done = report(file)

    assert done.exit_code == 2
    assert "the file is not the record of a run" in done.output
    assert found in done.output


@pytest.mark.parametrize("seconds", ["NaN", "Infinity", "1e999"])
def test_time_that_is_no_time_is_left_out(seconds: str, tmp_path: Path) -> None:
    record = cube_record(run="a", runs=(ran(seconds=1234.5),))
    file = tmp_path / "record.json"
    file.write_text(json.dumps(record).replace("1234.5", seconds))
    page = tmp_path / "report.html"

    done = report(file, "--html", page, "--junit", tmp_path / "report.xml")

    assert done.exit_code == 0, done.output
    assert "inf" not in page.read_text().partition("</style>")[2].lower().split()


def test_records_of_different_suites_are_not_joined(tmp_path: Path) -> None:
    named = {"name": "mine", "version": "1", "format": "x", "platform": "docker"}
    runner = cube_record(run="b", platforms=(), suite="runner", runner=named)
    written = [
        write(tmp_path, "a.json", cube_record()),
        write(tmp_path, "b.json", runner),
    ]

    done = report(*written)

    assert done.exit_code == 2
    assert "the records cannot be joined" in done.output
    compared = report(written[0], "--baseline", written[1])
    assert compared.exit_code == 2
    assert "found:    the record of a test of a runner" in compared.output


def test_the_last_run_here_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / ".mlcube-conformance"
    names = ("20260101-000000-00000000", "20260102-000000-00000000", "other", "zzz")
    for name in names:
        (runs / name).mkdir(parents=True)
    (runs / "30260101-000000-00000000").symlink_to(runs / names[0])
    write(runs / names[0], "record.json", cube_record(finding("EXIT-1", "failed")))
    write(runs / names[1], "record.json", cube_record(finding("EXIT-1", "passed")))
    write(runs / "zzz", "record.json", cube_record(finding("EXIT-1", "failed")))

    done = report()

    assert done.exit_code == 0, done.output
    assert "1 passed" in done.output


def test_without_a_run_there_is_nothing_to_report_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = report("--html", tmp_path / "a.html")

    assert done.exit_code == 2
    assert "run mlcube-conformance test CUBE first" in done.output
    assert not (tmp_path / "a.html").exists()


@pytest.mark.parametrize(
    "words",
    [("--html", "a.json"), ("--baseline", "a.json", "--md", "link.md")],
)
def test_a_record_that_is_read_is_not_replaced(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, "a.json", cube_record())
    (tmp_path / "link.md").symlink_to("a.json")
    before = file.read_bytes()
    monkeypatch.chdir(tmp_path)

    done = report("a.json", *words)

    assert done.exit_code == 2
    assert "would replace" in done.output
    assert file.read_bytes() == before


def test_a_report_goes_to_standard_output_by_its_name(tmp_path: Path) -> None:
    record = write(tmp_path, "record.json", cube_record())

    done = call("report", record, "--md", "/dev/stdout", place=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("## ")


def test_two_reports_do_not_replace_each_other(tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", cube_record())

    done = report(file, "--html", tmp_path / "x", "--md", tmp_path / "x")

    assert done.exit_code == 2
    assert not (tmp_path / "x").exists()


def test_a_regression_needs_a_baseline(tmp_path: Path) -> None:
    done = report(write(tmp_path, "a.json", cube_record()), "--fail-on-regression")

    assert done.exit_code == 2
    assert "give --baseline RECORD" in done.output


def test_each_check_of_junit_has_its_clause_its_case_and_its_time(
    tmp_path: Path,
) -> None:
    record = cube_record(
        finding("EXIT-1"), finding("OUTPUT-1"), runs=(ran(metrics=[ACCURACY]),)
    )

    text = all_reports(write(tmp_path, "a.json", record), place=tmp_path)["junit"]

    first, second = ET.fromstring(text).iter("testcase")  # noqa: S314 - ours
    assert (first.get("time"), second.get("time")) == ("10.000", "0.010")
    assert {each.get("name"): each.get("value") for each in first.iter("property")} == {
        "clause": "EXIT-1",
        "case": "tiny-docker-make",
        "test": record["findings"][0]["test"],
        "data/m.json: accuracy": "0.9",
    }


def test_the_record_of_a_runner_gives_every_report(tmp_path: Path) -> None:
    about = {"kind": "runner", "id": "mine", "cube": "", "platform": "", "task": ""}
    record = cube_record(
        finding("EXIT-2", subject=about, facts={"seen": "exit code 42"}),
        finding("MOUNT-1", "failed", subject=about),
        platforms=(),
        suite="runner",
        runner={"name": "mine", "version": "1", "format": "x", "platform": "docker"},
    )

    texts = all_reports(write(tmp_path, "a.json", record), place=tmp_path)

    sentence = clause_of("MOUNT-1").sentence
    assert f"| MOUNT-1 | {sentence} | ❌ failed |  |" in texts["md"]
    assert "| exit code 42 |" in texts["md"]
    assert "exit code 42" in texts["html"]
    for name in ("html", "md", "junit", "badge"):
        assert numbers_of(name, texts[name]) == +Counter(passed=1, bad=1), name


def runner_record(run: str, name: str, verdicts: Mapping[str, str]) -> dict[str, Any]:
    """Return the record of a test of a runner, by the verdict on each clause."""
    about = {"kind": "runner", "id": name, "cube": "", "platform": "", "task": ""}
    record = cube_record(
        *(
            finding(each, verdict, subject=about, reason=f"{name} {verdict}")
            for each, verdict in verdicts.items()
        ),
        run=run,
        platforms=(),
        suite="runner",
        runner={"name": name, "version": run, "format": "x", "platform": "docker"},
    )
    return record | {"cubes": []}


def test_runners_are_compared_and_where_they_differ_comes_first(tmp_path: Path) -> None:
    same = {"EXIT-2": "passed", "MOUNT-1": "passed", "ENV-5": "passed"}
    some = {"EXIT-3": "passed", "ENV-5": "not applicable"}
    one = runner_record("1", "one", same | some)
    two = runner_record("2", "two", same | {"MOUNT-1": "failed"})
    written = [write(tmp_path, f"{x['run']}.json", x) for x in (one, two)]

    texts = all_reports(*written, place=tmp_path)

    assert texts["md"].startswith("## ❌ Scorecard of one, two: ")
    assert "| clause | requirement | one | two |" in texts["md"]
    table = texts["md"].partition("| clause |")[2].partition("\n\n")[0]
    rows = [x.split("|")[1:] for x in table.splitlines()[2:]]
    told = {row[0].strip(): [x.strip() for x in row[-3:-1]] for row in rows}
    assert [*told] == [
        *("**verdicts differ**", "MOUNT-1", "ENV-5"),
        *("**EXIT**", "EXIT-2", "EXIT-3"),
    ]
    assert told["MOUNT-1"] == ["✅ passed", "❌ failed"]
    assert told["EXIT-3"] == ["✅ passed", ""]
    for name in ("html", "md", "junit", "badge"):
        assert numbers_of(name, texts[name]) == Counter(passed=5, bad=1, others=1), name
    assert texts["html"].index(">MOUNT-1<") < texts["html"].index(">EXIT-2<")
    suites = ET.fromstring(texts["junit"]).findall("testsuite")  # noqa: S314 - ours
    assert [each.get("name") for each in suites] == ["one", "two"]
    jsonschema.validate(json.loads(texts["json"]), SCHEMA)
    again = all_reports(tmp_path / FILES["json"], place=tmp_path)
    assert again == texts
    page = CliRunner().invoke(app, ["scorecard", str(tmp_path / FILES["json"])])
    assert "| clause | level | requirement | one | two |" in page.output
    assert "- two 2, x cubes, 2026-11-28" in page.output


def test_two_versions_of_a_runner_have_a_column_each(tmp_path: Path) -> None:
    records = [runner_record(run, "one", {"EXIT-2": "passed"}) for run in "12"]
    written = [write(tmp_path, f"{x['run']}.json", x) for x in records]

    done = report(*written)

    assert "| clause | requirement | one 1 x | one 2 x |" in done.output


def test_a_runner_that_broke_a_clause_is_a_regression(tmp_path: Path) -> None:
    before = write(tmp_path, "a.json", runner_record("1", "one", {"EXIT-2": "passed"}))
    now = write(tmp_path, "b.json", runner_record("2", "one", {"EXIT-2": "failed"}))

    done = report(now, "--baseline", before, "--fail-on-regression")

    assert done.exit_code == 1
    assert "| ❌ | broke | one · EXIT-2 | EXIT-2 | passed | failed |" in done.output


def test_errors_have_a_column_of_their_own(tmp_path: Path) -> None:
    verdicts = {"EXIT-2": "passed", "EXIT-3": "failed", "MOUNT-1": "error"}
    runner = write(tmp_path, "a.json", runner_record("1", "one", verdicts))
    cubes = [
        cube_record(
            *(
                finding(clause, verdict, platform=platform)
                for clause, verdict in (("EXIT-1", "error"), ("OUTPUT-1", "failed"))
            ),
            run=platform,
            platforms=(platform,),
        )
        for platform in ("docker", "local")
    ]
    written = [write(tmp_path, f"{each['run']}.json", each) for each in cubes]

    of_runner = all_reports(runner, place=tmp_path)
    of_cubes = all_reports(*written, place=tmp_path)

    assert "| passed | failed | errors | host |" in of_runner["md"]
    assert "| 1 | 1 | 1 |" in of_runner["md"]
    numbers = "<td>1</td><td>1</td><td>1</td>"
    assert numbers in of_runner["html"]
    assert of_cubes["html"].count(numbers.replace("1", "0", 1)) == len(cubes)


def test_states_are_counted_in_plain_english(tmp_path: Path) -> None:
    clauses = ("EXIT-1", "OUTPUT-1", "OUTPUT-2", "OUTPUT-3")
    two = [finding(each, "error") for each in clauses[:2]]
    warnings = [finding(each, "failed", required=False) for each in clauses[2:]]
    file = write(tmp_path, "record.json", cube_record(*two, *warnings))

    assert "2 warnings, 2 errors" in report(file).stdout
