"""`mlcube-conformance test`: pytest on cubes, or on a runner."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

import click

from mlcube_conformance.base.errors import Message, UsageError, did_you_mean
from mlcube_conformance.base.homes import current_folder
from mlcube_conformance.base.text import visible
from mlcube_conformance.commands.group import ending_if_interrupted, interrupted
from mlcube_conformance.commands.output import refusing
from mlcube_conformance.commands.said import tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

__all__ = ["test"]

#: Options of pytest that cubes are often tested with, without the dashes.
_OF_PYTEST = {"junit-xml"}
#: How the options begin by which pytest-xdist is asked for.
_OF_WORKERS = ("-n", "--numprocesses")
#: Exit code of pytest, which is imported by this command alone.
_INTERRUPTED = 2


class _Test(click.Command):
    """The command whose options are those of pytest."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own
        """Call it; before pytest expects an interrupt, too, one ends it as pytest does.

        Raises:
            SystemExit: It was interrupted.
        """
        with ending_if_interrupted(_INTERRUPTED):
            return super().invoke(ctx)

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[CompletionItem]:
        """Return our options that begin so, for a shell to complete."""
        if not incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - for shells alone

        from mlcube_conformance.options import options_of  # noqa: PLC0415 - as above

        return [
            CompletionItem(each.name, help=each.help)
            for each in options_of("cube", "runner")
            if each.name.startswith(incomplete)
        ]


@click.command(
    cls=_Test,
    context_settings={
        "allow_extra_args": True,
        "allow_interspersed_args": False,
        "help_option_names": ["--help"],
        "ignore_unknown_options": True,
    },
    options_metavar="[CUBE...] [OPTIONS OF PYTEST]",
)
@click.pass_context
def test(context: click.Context) -> None:
    """Test cubes, or a runner by --runner; -h lists all options.

    Runs pytest in the current folder and by its settings: nothing beside a cube can
    change how it is tested. Without a cube, that of the current folder is tested. A
    word that ends in .py is a file of your own tests.

    Example: mlcube-conformance test mnist --platform docker
    """
    import pytest  # noqa: PLC0415 - only here, since others need none

    from mlcube_conformance.suites.starting import (  # noqa: PLC0415 - as above
        OPTIONS,
        PLUGIN,
        start_words,
    )

    with refusing(pytest.ExitCode.USAGE_ERROR):
        folder = current_folder()
        _refuse_open_quotes()

    class Start:
        """A plugin that notes how far pytest came, and which plugins it has."""

        options_are_read = False
        has_workers = True
        is_interrupted = False
        config: pytest.Config

        @pytest.hookimpl(tryfirst=True)
        def pytest_load_initial_conftests(self, early_config: pytest.Config) -> None:
            self.config = early_config
            self.has_workers = early_config.pluginmanager.hasplugin("xdist")
            # Without them, cubes would be folders whose tests pytest runs.
            for name in (PLUGIN, OPTIONS):
                if not early_config.pluginmanager.hasplugin(name):
                    text = f"cubes are not tested without {name}: omit -p no:{name}"
                    raise pytest.UsageError(text)

        @pytest.hookimpl(tryfirst=True)
        def pytest_cmdline_main(self) -> None:
            self.options_are_read = True

        @pytest.hookimpl
        def pytest_keyboard_interrupt(
            self, excinfo: pytest.ExceptionInfo[BaseException]
        ) -> None:
            # What writes to the terminal says so itself, once it is there.
            is_silent = not self.config.pluginmanager.hasplugin("terminalreporter")
            self.is_interrupted = is_silent and excinfo.errisinstance(KeyboardInterrupt)

    start = Start()
    code = int(pytest.main(start_words(context.args, folder), plugins=[start]))
    if start.is_interrupted:
        raise interrupted(code)
    if code == pytest.ExitCode.USAGE_ERROR and not start.options_are_read:
        _guess_options(context.args)
        asked = any(each.startswith(_OF_WORKERS) for each in context.args)
        if asked and not start.has_workers:
            tell("-n: run pip install 'mlcube-conformance[xdist]' to have it\n")
    raise SystemExit(code)


def _refuse_open_quotes() -> None:
    """Refuse options in a variable that pytest would end at with a traceback.

    Raises:
        UsageError: They cannot be split into words.
    """
    name = "PYTEST_ADDOPTS"
    words = os.environ.get(name, "")
    try:
        shlex.split(words)
    except ValueError as error:
        raise UsageError(
            Message(
                what=f"{name} cannot be split into options",
                where=name,
                found=f"{words!r}: {error}",
                expected="options of pytest, quoted as for a shell",
                do="close the quotation, or unset the variable",
            )
        ) from error


def _guess_options(words: Sequence[str]) -> None:
    """Say which of our options may have been meant: pytest does not guess."""
    from mlcube_conformance.options import options_of  # noqa: PLC0415 - for errors alone

    # Without the dashes, which all options are alike in.
    known = {each.name.removeprefix("--") for each in options_of("cube", "runner")}
    known |= _OF_PYTEST
    for word in words:
        name = word.partition("=")[0]
        bare = name.removeprefix("--")
        guess = did_you_mean(bare, known) if bare != name and bare not in known else ""
        if guess:
            shown = guess.replace("'", "'--", 1)
            tell(f"{visible(name)}: {shown}\n")
