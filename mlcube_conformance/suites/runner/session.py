"""The hooks of a pytest session that holds a runner to the clauses; for `--runner`."""

from __future__ import annotations

import re
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from mlcube_conformance import __version__
from mlcube_conformance.base.errors import (
    ConformanceError,
    MachineError,
    Message,
    UsageError,
    Violation,
)
from mlcube_conformance.base.faults import fault_of_ours
from mlcube_conformance.base.homes import given_path, is_written_as_path
from mlcube_conformance.base.interrupts import Interrupts
from mlcube_conformance.base.names import FOLDER, new_run_id
from mlcube_conformance.base.text import command_line
from mlcube_conformance.base.trees import remove_tree
from mlcube_conformance.clauses import RUNNER_CLAUSES, clause
from mlcube_conformance.formats.expected_failures import load_expected_failures
from mlcube_conformance.formats.runner_description import (
    filled,
    load_runner_description,
)
from mlcube_conformance.plan.selection import parse_seconds
from mlcube_conformance.results.scorecard import Judgement, Scorecard, lines, markdown
from mlcube_conformance.suites.options import base_image, kept
from mlcube_conformance.suites.runner.choice import (
    ask_version,
    card_file,
    chosen_format,
    description_file,
    probe_sources,
)
from mlcube_conformance.suites.runner.probe.cube import IMAGE
from mlcube_conformance.suites.runner.probe.writing import Site
from mlcube_conformance.suites.runner.trial import Trial
from mlcube_conformance.suites.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from mlcube_conformance.clauses import Clause
    from mlcube_conformance.formats.runner_description import RunnerDescription
    from mlcube_conformance.results.scorecard import Verdict

__all__ = ["RunnerSession"]

_CLAUSE = "mlcube_clause"
_NOT_JUDGED = "mlcube_not_judged"
_REASON = "mlcube_reason"
_BROKEN = "mlcube_broken"
#: How a test says that its clause means nothing here.
_DOES_NOT_APPLY = "not applicable: "
#: Seconds for a call, where `--runner-timeout` says nothing.
_TIMEOUT = "60"


class RunnerSession:
    """A runner, and what the tests found of it so far."""

    def __init__(self, config: pytest.Config) -> None:
        """Read the runner that the command line asks for.

        Raises:
            UsageError: Something that was asked for does not exist.
        """
        option = config.getoption
        self._config = config
        self._keep: str = kept(option("mlcube_keep"))
        self._given: str = option("mlcube_runner")
        description = load_runner_description(description_file(option("mlcube_runner")))
        known = getattr(config, "workerinput", {})
        run_id = known.get("mlcube_run_id") or new_run_id()
        shared = _place(config.invocation_params.dir) / FOLDER / run_id
        platform = _platform(option("mlcube_runner_platform"), description)
        self._cards = [card_file(each) for each in option("mlcube_scorecard")]
        expected = option("mlcube_expected_failures")
        self._expected: Mapping[str, str] = (
            load_expected_failures(given_path(expected, "--expected-failures"))
            if expected is not None
            else {}
        )
        self.trial = Trial(
            description=description,
            form=chosen_format(option("mlcube_format"), description),
            platform=platform,
            site=Site(
                sources=probe_sources(),
                base_image=base_image(option("mlcube_base_image")),
                images=shared,
                kind="" if "/" in platform else platform,
            ),
            shared=shared,
            folder=shared / known.get("workerid", "main"),
            run_id=run_id,
            timeout=parse_seconds(
                "--runner-timeout", option("mlcube_runner_timeout") or _TIMEOUT
            ),
        )
        self._is_worker = bool(known)
        self._version = "" if self._is_worker else ask_version(self.trial)
        self._interrupts = Interrupts(Terminal(config).watch(live=False).note)
        self._judged: dict[str, Judgement] = {}
        self._said: list[str] = []

    # Hooks, in the order in which pytest calls them.

    def pytest_report_header(self) -> list[str]:
        """Say what is on trial, and where its cubes lie."""
        description = self.trial.description
        return [
            (
                f"mlcube-conformance {__version__}: runner {description.name} "
                f"({self._version}), cubes of the format {self.trial.form}"
            ),
            (
                f"mlcube-conformance: probe cubes and logs in {self.trial.shared} "
                f"(kept: {self._keep})"
            ),
        ]

    def pytest_sessionstart(self) -> None:
        """Let a request to end be an interrupt, so that the runner is ended."""
        self._interrupts.take()

    def pytest_unconfigure(self) -> None:
        """Let requests to end do what they did before."""
        self._interrupts.give_back()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - of xdist
        """Tell a worker of pytest-xdist the name of the run."""
        node.workerinput["mlcube_run_id"] = self.trial.run_id

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Expect the failures that are known of the runner, and only those."""
        for item in items:
            judged = _clause_of(item)
            if judged is not None and judged.id in self._expected:
                item.add_marker(
                    pytest.mark.xfail(
                        reason=self._expected[judged.id], raises=Violation, strict=True
                    )
                )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave out what does not apply; make sure that the probe's image is there."""
        judged = _clause_of(item)
        if judged is None:
            return
        item.user_properties.append((_CLAUSE, judged.id))
        description = self.trial.description
        lacking = description.lacking(judged.needs)
        if lacking:
            _leave_out(item, "not applicable", lacking)
        if judged.id in description.unsupported:
            _leave_out(item, "unsupported", description.unsupported[judged.id])
        unready = self.trial.make_ready()
        if unready:
            _leave_out(item, "error", f"not run: {unready}")
        self.trial.name = item.name.removeprefix("test_").replace("_", "-")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Show our errors as their message alone."""
        report = yield
        error = call.excinfo.value if call.excinfo else None
        error = fault_of_ours(error) or error
        if report.failed and isinstance(error, (Violation, ConformanceError)):
            judged = _clause_of(item)
            about = f"{judged.id}: {judged.sentence}\n" if judged else ""
            words = ("--runner", self._given, "-k", item.name)
            again = command_line(("mlcube-conformance", "test", *words))
            report.longrepr = f"{about}{error}\n  again:    {again}"
            report.user_properties.append((_REASON, self._reason(error.messages[0])))
            report.user_properties.append((_BROKEN, isinstance(error, Violation)))
        return report

    def _reason(self, message: Message) -> str:
        """Return in one line what was wrong, the same in each session."""
        found = f"; found: {message.found}" if message.found else ""
        text = " ".join(f"{message.what}{found}".split())
        return re.sub(rf"{re.escape(str(self.trial.shared))}/[^/]+/", "", text)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take down how the test of a clause ended, over all workers."""
        found = dict(report.user_properties)
        if _CLAUSE not in found or (report.when == "teardown" and report.passed):
            return
        if report.when == "setup" and report.passed:
            return
        name = str(found[_CLAUSE])
        verdict, reason = _verdict(report, found)
        earlier = self._judged.get(name)
        if earlier is None or earlier.verdict in {"passed", "not applicable"}:
            self._judged[name] = Judgement(
                clause=name,
                verdict=verdict,
                reason=reason,
                expected=name in self._expected,
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Remove what need not be kept; write the scorecards."""
        self.trial.clean_up(keep=self._keep)
        if self._is_worker:
            return
        if self._judged:
            with suppress(MachineError):
                self.trial.remove_left(IMAGE)
            card = self._scorecard()
            for file in self._cards:
                text = card.to_json() if file.suffix == ".json" else markdown([card])
                try:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text, encoding="utf-8")
                    self._said.append(f"scorecard in {file}")
                except OSError as error:
                    self._said.append(f"no scorecard in {file}: {error.strerror}")
        _remove_if_empty(self.trial)

    def _scorecard(self) -> Scorecard:
        return Scorecard(
            runner=self.trial.description.name,
            version=self._version,
            date=time.strftime("%Y-%m-%d"),
            tool=__version__,
            judgements=tuple(
                self._judged.get(each.id)
                or Judgement(clause=each.id, verdict="not run")
                for each in RUNNER_CLAUSES
                if each.test
            ),
            format=self.trial.form,
        )

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Show the scorecard, and say what was kept."""
        if self._judged:
            for line in lines(self._scorecard()):
                terminalreporter.write_line(line)
            left_out = Counter(
                each.reason
                for each in self._judged.values()
                if each.verdict == "not applicable"
            )
            for reason, count in left_out.most_common():
                terminalreporter.write_line(f"n/a: {count} of them: {reason}")
        for line in self._said:
            terminalreporter.write_line(f"mlcube-conformance: {line}")
        if self.trial.shared.is_dir():
            terminalreporter.write_line(f"mlcube-conformance: kept {self.trial.shared}")


def _clause_of(item: pytest.Item) -> Clause | None:
    mark = item.get_closest_marker("clause")
    return clause(mark.args[0]) if mark else None


def _leave_out(item: pytest.Item, verdict: Verdict, reason: str) -> None:
    item.user_properties.append((_NOT_JUDGED, verdict))
    pytest.skip(reason)


def _verdict(
    report: pytest.TestReport, said: Mapping[str, object]
) -> tuple[Verdict, str]:
    """Return what a report says of its clause, and why."""
    if report.skipped and not hasattr(report, "wasxfail"):
        text = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
        reason = text.removeprefix("Skipped: ")
        if reason.startswith(_DOES_NOT_APPLY):
            return "not applicable", reason.removeprefix(_DOES_NOT_APPLY)
        return cast("Verdict", said.get(_NOT_JUDGED, "error")), reason
    if report.skipped:
        return "failed", str(report.wasxfail).removeprefix("reason: ")
    if report.passed:
        return "passed", ""
    text = str(report.longrepr)
    if text.startswith("[XPASS(strict)]"):
        return "passed", "it was expected to fail"
    verdict: Verdict = "failed" if said.get(_BROKEN) else "error"
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    return verdict, str(said.get(_REASON) or last)


def _remove_if_empty(trial: Trial) -> None:
    if not any(trial.shared.glob("*/*/call-*")):
        remove_tree(trial.shared)
        with suppress(OSError):
            trial.shared.parent.rmdir()


def _place(folder: Path) -> Path:
    """Return where cubes are placed: here, unless its path tries a runner by itself."""
    plain = re.fullmatch(r"[\w./@+-]+", str(folder), re.ASCII)
    return folder if plain else Path(tempfile.gettempdir())


def _platform(given: str | None, description: RunnerDescription) -> str:
    """Return what the runner is told of its platform: a name, or a file's whole path.

    Raises:
        UsageError: It is a file, and the runner takes none.
    """
    platform = given or filled((description.platform,), {})[0]
    if not is_written_as_path(platform):
        return platform
    if "remote" not in description.features:
        raise _platform_is_not_its(description, platform)
    return str(given_path(platform, "--runner-platform"))


def _platform_is_not_its(description: RunnerDescription, platform: str) -> UsageError:
    return UsageError(
        Message(
            what=f"the runner {description.name} takes no platform file here: probe "
            "cubes bring their own",
            where="--runner-platform",
            found=platform,
            expected="the name of a platform; a file only for a runner with `remote`",
            do="leave --runner-platform out",
        )
    )
