"""The clauses of cubes; those with a test come first, in test order."""

from __future__ import annotations

from mlcube_conformance.clauses.clause import Clause

__all__ = ["CUBES"]

_DEFINITIONS = "conformance_tests/cube/test_definitions.py"
_IMAGE = "conformance_tests/cube/test_image.py"
_TASK = "conformance_tests/cube/test_task.py"
_OUTPUTS = "conformance_tests/cube/test_outputs.py"
_REMOTE = "conformance_tests/cube/test_remote.py"
_PLATFORMS = "conformance_tests/cube/test_platforms.py"
_ONLY_ITS_AUTHOR = (
    "only its author knows an input that must fail; the reference cube has tests of "
    "its own for it"
)

_AT_THE_END = (
    "each run is judged by it, and the summary shows where it is not met; with "
    "--fail-on-should, the run fails"
)

CUBES = (
    Clause(
        id="FILE-1",
        who="cube",
        depth="L0",
        sentence="the definitions of the cube are valid",
        evidence=(
            "the check of mlcube a1135be refuses every cube that has a folder of "
            "platforms"
        ),
        test=f"{_DEFINITIONS}::test_definitions_are_valid",
    ),
    Clause(
        id="FILE-2",
        who="cube",
        depth="L0",
        sentence="the platform file is valid",
        evidence=(
            "mlcube 756eb0e: its documents show platform files that its code refuses"
        ),
        test=f"{_DEFINITIONS}::test_platform_file_is_valid",
    ),
    Clause(
        id="IMAGE-1",
        who="cube",
        depth="L1",
        sentence="the image can be built or pulled",
        evidence="examples #44 to #51: images that no longer built",
        test=f"{_IMAGE}::test_image_builds",
    ),
    Clause(
        id="INPUT-1",
        who="cube",
        sentence="each input exists and has its declared type",
        evidence="mlcube 6b32fa3 starts a task whose input is missing",
        test=f"{_TASK}::test_inputs_are_there",
    ),
    Clause(
        id="EXIT-1",
        who="cube",
        sentence="the task ends by itself and exits with 0",
        evidence="medperf#37",
        test=f"{_TASK}::test_exits_zero",
    ),
    Clause(
        id="OUTPUT-1",
        who="cube",
        sentence="each declared output is made by this run",
        evidence=(
            "examples #61: the first MNIST cube exits with 0 after an exception, with "
            "no model"
        ),
        test=f"{_OUTPUTS}::test_outputs_appear",
    ),
    Clause(
        id="OUTPUT-2",
        who="cube",
        sentence="each output is of its declared type",
        evidence="mlcube d6a46c7 created output files first, to keep them from "
        "becoming folders",
        test=f"{_OUTPUTS}::test_outputs_are_of_their_type",
    ),
    Clause(
        id="OUTPUT-3",
        who="cube",
        sentence="no output is empty",
        evidence=(
            "runners create the output folders, which then exist without a result"
        ),
        test=f"{_OUTPUTS}::test_outputs_are_not_empty",
    ),
    Clause(
        id="INPUT-2",
        who="cube",
        depth="L3",
        sentence="the task leaves its inputs unchanged",
        evidence="medperf#222",
        test=f"{_OUTPUTS}::test_inputs_are_unchanged",
    ),
    Clause(
        id="OWNER-1",
        who="cube",
        depth="L3",
        sentence="outputs belong to the invoking user",
        evidence="mlcube#192, medperf#414",
        test=f"{_OUTPUTS}::test_outputs_belong_to_the_user",
    ),
    Clause(
        id="REMOTE-1",
        who="cube",
        sentence="outputs are on the host where the task ran, and the same here",
        evidence=(
            "mlcube 6b32fa3 brings back no folders, since it copies without recursion"
        ),
        test=f"{_REMOTE}::test_outputs_are_on_the_host",
    ),
    Clause(
        id="SAME-1",
        who="cube",
        depth="L4",
        level="SHOULD",
        sentence="outputs are the same on every platform",
        evidence=(
            "medperf#415, mlcube#305: the working folder differs from engine to engine"
        ),
        test=f"{_PLATFORMS}::test_outputs_are_the_same_on_every_platform",
    ),
    Clause(
        id="EXIT-9",
        who="cube",
        sentence=(
            "a cube that catches an exception still exits with something other than 0"
        ),
        evidence="examples #61: failures that were caught and forgotten",
        fact=8,
        why_not=_ONLY_ITS_AUTHOR,
    ),
    Clause(
        id="EXIT-10",
        who="cube",
        sentence="a cube that starts another process passes on its exit code",
        evidence="medperf#226, medperf#289",
        fact=9,
        why_not=_ONLY_ITS_AUTHOR,
    ),
    Clause(
        id="EXIT-16",
        who="cube",
        level="SHOULD",
        sentence="a task that exits with 0 does not end its stderr with an error",
        evidence=(
            "examples #61; 40 of 177 public cubes drop the exit code of a command"
        ),
        why_not=_AT_THE_END,
    ),
    Clause(
        id="ARG-2",
        who="cube",
        sentence="a cube takes its parameters in any order, as --name=value",
        evidence="examples 34b4365, matmul: parsers that relied on an order",
        fact=46,
        why_not="the runners here only ever pass one order, that of the definition",
    ),
    Clause(
        id="IMAGE-12",
        who="cube",
        level="SHOULD",
        sentence="the path of a cube's entrypoint is absolute",
        evidence=(
            "medperf#415, mlcube#305: Singularity does not enter the working folder "
            "of an image; 52 of 177 public cubes need it"
        ),
        fact=91,
        why_not=_AT_THE_END,
    ),
    Clause(
        id="IMAGE-13",
        who="cube",
        sentence="a cube makes the folders that it writes logs to",
        evidence="examples 34b4365: a runner did not make them",
        fact=92,
        why_not=(
            "EXIT-1 and OUTPUT-1 show it; which folders a cube needs, only its author "
            "knows"
        ),
    ),
    Clause(
        id="IMAGE-14",
        who="cube",
        sentence="a cube pins the versions of the tools that its image is built with",
        evidence="examples #44 to #51: pip left Python 3.6 behind",
        fact=93,
        why_not="a version that breaks later looks like one that does not",
    ),
    Clause(
        id="IMAGE-15",
        who="cube",
        sentence="the build context of a cube has no data of the workspace",
        evidence="examples e083575",
        fact=94,
        why_not="a context may contain anything; its size is the author's choice",
    ),
    Clause(
        id="IMAGE-16",
        who="cube",
        sentence="a task that is run again repeats its work, or sees that it is done",
        evidence="examples 933bfea (#35)",
        fact=95,
        why_not=(
            "what a second run means differs from task to task; the reference cube "
            "has tests of its own for it"
        ),
    ),
)
