"""The hooks of a pytest session that tests a runner; for `--runner`."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import pytest

from mlcube_conformance import __version__
from mlcube_conformance.base.errors import (
    ConformanceError,
    MachineError,
    Message,
    Violation,
    without_paths,
)
from mlcube_conformance.base.faults import fault_of_ours
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.interrupts import Interrupts
from mlcube_conformance.base.names import FOLDER, new_run_id
from mlcube_conformance.clauses import clause
from mlcube_conformance.clauses.naming import explaining
from mlcube_conformance.formats.expected_failures import load_expected_failures
from mlcube_conformance.formats.runner_description import (
    filled,
    load_runner_description,
)
from mlcube_conformance.results.finding import Finding, Subject
from mlcube_conformance.results.formats import writers
from mlcube_conformance.results.judgements import (
    Scorecard,
    judgements_of,
    scorecard_of,
)
from mlcube_conformance.results.scorecard import lines
from mlcube_conformance.suites.again import again_for_runner
from mlcube_conformance.suites.hooks import (
    attach,
    begin_record,
    clause_id,
    is_decisive,
    is_unexpected_pass,
    keep_finding,
    keeps_record,
    record_of,
    verdict_of,
    write_asked,
)
from mlcube_conformance.suites.options import asker
from mlcube_conformance.suites.reruns import Reruns
from mlcube_conformance.suites.runner.choice import (
    ask_version,
    card_file,
    chosen_format,
    cubes_place,
    description_file,
    platform_word,
    probe_sources,
)
from mlcube_conformance.suites.runner.probe.cube import IMAGE
from mlcube_conformance.suites.runner.probe.writing import Site
from mlcube_conformance.suites.runner.trial import Trial
from mlcube_conformance.suites.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from mlcube_conformance.clauses import Clause
    from mlcube_conformance.results.finding import Verdict

__all__ = ["RunnerSession"]

_CLAUSE = "mlcube_clause"
_NOT_JUDGED = "mlcube_not_judged"
#: Sentences on what showed that a clause is met, and letters of one.
_MOST, _LONGEST, _LONGEST_REASON = 8, 160, 500
#: What a log begins its lines with.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,:+Z]* ?", re.ASCII)


class RunnerSession:
    """A runner, and what the tests found of it so far."""

    def __init__(self, config: pytest.Config) -> None:
        """Read the runner that the command line asks for.

        Raises:
            UsageError: Something that was asked for does not exist.
        """
        asked = asker(config, "runner")
        self._config = config
        self._keep: str = asked("--keep")
        description = load_runner_description(description_file(asked("--runner")))
        known = getattr(config, "workerinput", {})
        run_id = known.get("mlcube_run_id") or new_run_id()
        shared = cubes_place(config.invocation_params.dir) / FOLDER / run_id
        platform = platform_word(asked("--runner-platform"), description)
        self._cards = [card_file(each) for each in asked("--scorecard")]
        expected = asked("--expected-failures")
        self._expected: Mapping[str, str] = (
            load_expected_failures(given_path(expected, "--expected-failures"))
            if expected is not None
            else {}
        )
        self.trial = Trial(
            description=description,
            form=chosen_format(asked("--format"), description),
            platform=platform,
            site=Site(
                sources=probe_sources(),
                base_image=asked("--base-image"),
                images=shared,
                kind="" if "/" in platform else platform,
            ),
            shared=shared,
            folder=shared / known.get("workerid", "main"),
            run_id=run_id,
            timeout=asked("--runner-timeout"),
        )
        self._is_worker = bool(known)
        self._version = "" if self._is_worker else ask_version(self.trial)
        self._interrupts = Interrupts(Terminal(config).watch(live=False).note)
        self.record = self.trial.record = record_of(config, shared)
        self._reruns = Reruns("trial")
        config.pluginmanager.register(self._reruns, "mlcube_reruns")
        self._said: list[str] = []
        self._card: Scorecard | None = None
        self._kept = False
        self._placed = 0

    # Hooks, in the order in which pytest calls them.

    def pytest_report_header(self) -> list[str]:
        """Say what is tested, and where the probe cubes are."""
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
        """Let a request to end be an interrupt, so the runner is ended."""
        self._interrupts.take()
        begin_record(
            self.record,
            self._config,
            "runner",
            run=self.trial.run_id,
            runner={
                "name": self.trial.description.name,
                "version": self._version,
                "format": self.trial.form,
                "platform": self.trial.platform,
            },
        )

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
        self._placed = len(self.trial.placed)
        self.trial.seen.clear()
        if self._reruns.begin(item):
            self.trial.forget()
        elif judged is not None:
            item.user_properties.append((_CLAUSE, judged.id))
        if judged is None:
            return
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
        if report.failed:
            for each in self.trial.placed[self._placed :]:
                each.kept = True
        judged, again = _clause_of(item), ""
        if report.failed and isinstance(error, (Violation, ConformanceError)):
            about = f"{judged.id}: {judged.sentence}\n" if judged else ""
            again = again_for_runner(self._config, item)
            told = "\n\n".join(map(str, self._messages(error)))
            more = f"\n  more:     {explaining(judged.id)}" if judged else ""
            report.longrepr = f"{about}{told}{more}\n  again:    {again}"
        elif judged and is_unexpected_pass(report):
            report.longrepr = (
                f"{report.longreprtext}\n{judged.id}: {judged.sentence}\n"
                f"  do:       remove {judged.id} from the file of --expected-failures"
            )
        if is_decisive(report):
            attach(report, self._finding(item, report, error, again))
        return report

    def _finding(
        self,
        item: pytest.Item,
        report: pytest.TestReport,
        error: BaseException | None,
        again: str,
    ) -> Finding:
        judged = clause_id(item)
        verdict, reason = verdict_of(report, error)
        messages: tuple[Message, ...] = ()
        if verdict == "not run":
            left_out = dict(item.user_properties).get(_NOT_JUDGED, "error")
            verdict = cast("Verdict", left_out)
        if report.failed and isinstance(error, (Violation, ConformanceError)):
            messages, reason = self._messages(error), self._reason(error.messages[0])
        elif report.failed and verdict == "failed":
            verdict = "error"  # The test broke, and says nothing of the runner.
        seen = self._seen() if verdict == "passed" else ""
        if verdict == "failed" and not report.failed and isinstance(error, Violation):
            seen = self._reason(error.messages[0])  # The reason is why it is expected.
        return Finding(
            subject=Subject(kind="runner", id=self.trial.description.name),
            clause=judged,
            verdict=verdict,
            reason=reason,
            messages=messages,
            facts={
                **({"again": again} if again else {}),
                **({"seen": seen} if seen else {}),
            },
            test=item.nodeid,
            expected=judged in self._expected,
            seconds=round(report.duration, 3),
        )

    def _messages(self, error: Violation | ConformanceError) -> tuple[Message, ...]:
        """Return what to show of an error; it names no file that will be gone."""
        if self._keep != "none":
            return error.messages
        return without_paths(error.messages, self.trial.shared)

    def _reason(self, message: Message) -> str:
        """Return in one line what was wrong, the same in each session."""
        found = f"; found: {message.found}" if message.found else ""
        return self._in_one_line(f"{message.what}{found}")[:_LONGEST_REASON]

    def _seen(self) -> str:
        """Return in one line what showed that a clause is met."""
        seen = (self._in_one_line(each)[:_LONGEST] for each in self.trial.seen)
        return "; ".join([*dict.fromkeys(seen)][:_MOST])

    def _in_one_line(self, text: str) -> str:
        """Return a text without what differs from session to session."""
        place = rf"{re.escape(str(self.trial.shared))}/[^/]+/"
        return _TIME.sub("", re.sub(place, "", " ".join(text.split())))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test found; workers send it to their controller."""
        keep_finding(self.record, self._config, report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Remove what need not be kept; write the record and the scorecards."""
        if self.record.findings:
            with suppress(MachineError):
                self.trial.remove_left(IMAGE)
        self.trial.clean_up(keep=self._keep)
        if not keeps_record(self._config):
            return
        found = self.record.end(int(exitstatus))
        if judgements_of(found["findings"]):
            self._card = scorecard_of(found)
            for file in self._cards:
                self._write(session, file, self._card)
        self._kept = self.trial.kept_something()

    def _write(self, session: pytest.Session, file: Path, card: Scorecard) -> None:
        text = writers()[file.suffix](card)
        self._said.append(write_asked(session, "scorecard", file, text).line)

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Show the scorecard, and say what was kept."""
        write = terminalreporter.write_line
        if self._card is not None:
            for line in lines(self._card):
                write(line)
            left_out = Counter(
                each.reason
                for each in self._card.judgements
                if each.verdict == "not applicable"
            )
            for reason, count in left_out.most_common():
                write(f"n/a: {count} of them: {reason}")
            how = filled(self.trial.description.remove_image, {"image": IMAGE})
            if how:
                write(f"the probe's image stays for the next run: {shlex.join(how)}")
        for line in self._said:
            write(f"mlcube-conformance: {line}")
        if self._kept:
            write(f"mlcube-conformance: kept {self.trial.shared}")


def _clause_of(item: pytest.Item) -> Clause | None:
    mark = item.get_closest_marker("clause")
    return clause(mark.args[0]) if mark else None


def _leave_out(item: pytest.Item, verdict: Verdict, reason: str) -> None:
    item.user_properties.append((_NOT_JUDGED, verdict))
    pytest.skip(reason)
