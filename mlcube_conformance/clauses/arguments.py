"""Tasks, parameters and options are taken as they were given."""

from __future__ import annotations

from mlcube_conformance.clauses.clause import Clause

__all__ = ["ARGUMENTS"]

_ARG = "conformance_tests/runner/test_arg.py"

ARGUMENTS = (
    Clause(
        id="ARG-1",
        sentence=(
            "a task gets its name, then --name=value of each input in order, then of "
            "each output"
        ),
        evidence="every MLCube since 2020 relies on it",
        fact=45,
        test=f"{_ARG}::test_argv",
    ),
    Clause(
        id="ARG-3",
        sentence=(
            "an unknown task is refused by a message that lists the tasks of the cube"
        ),
        evidence="mlcube f5f34b6 (#224); ab5b38f ends with FileNotFoundError",
        fact=47,
        test=f"{_ARG}::test_unknown_task",
    ),
    Clause(
        id="ARG-4",
        level="SHOULD",
        sentence=(
            "a task file that the root file does not list can be run, or is refused "
            "by name"
        ),
        evidence="the cube mnist_openfl of examples b1b89da has one",
        fact=48,
        needs=("multi-file",),
        test=f"{_ARG}::test_unlisted_task_file",
    ),
    Clause(
        id="ARG-5",
        sentence=(
            "a run file with a value for an unknown parameter is refused by a "
            "message that names it"
        ),
        evidence="mlcube ab5b38f ends with KeyError",
        fact=49,
        needs=("multi-file",),
        test=f"{_ARG}::test_undeclared_binding",
    ),
    Clause(
        id="ARG-6",
        level="SHOULD",
        sentence=(
            "a parameter without a value is refused by name, or left out of the "
            "arguments"
        ),
        evidence="the emdenoise cube of examples 34b4365 relies on the second",
        fact=50,
        needs=("multi-file",),
        test=f"{_ARG}::test_unbound_parameter",
    ),
    Clause(
        id="ARG-7",
        sentence="a name that is an input and an output of one task is passed twice",
        evidence="mlcube a1135be crashes on the emdenoise cube",
        fact=51,
        test=f"{_ARG}::test_same_name_in_and_out",
    ),
    Clause(
        id="ARG-8",
        sentence=(
            "the name of a task is the name of its file without .yaml, and nothing "
            "more is cut off"
        ),
        evidence=(
            "mlcube 756eb0e strips letters instead, and makes ev of eval and p of play"
        ),
        fact=52,
        test=f"{_ARG}::test_task_names",
    ),
    Clause(
        id="ARG-9",
        sentence=(
            "a value on the command line overrides that of the cube, whose files "
            "stay unchanged"
        ),
        evidence="mlcube 9dffa85",
        fact=53,
        needs=("override",),
        test=f"{_ARG}::test_override_wins",
    ),
    Clause(
        id="ARG-10",
        sentence="a value for a parameter that the task lacks is refused",
        evidence="mlcube 6b32fa3 ignores it",
        fact=54,
        needs=("override",),
        test=f"{_ARG}::test_unknown_override",
    ),
    Clause(
        id="ARG-11",
        sentence="a misspelt option is refused",
        evidence=(
            "medperf#488, medperf#489: data were lost; mlcube 6b32fa3 ignores it"
        ),
        fact=55,
        test=f"{_ARG}::test_misspelt_option",
    ),
    Clause(
        id="ARG-12",
        sentence=(
            "an override without an equals sign is refused by a message, without a "
            "traceback"
        ),
        evidence="mlcube 6b32fa3 ends with IndexError",
        fact=56,
        needs=("override",),
        test=f"{_ARG}::test_override_without_equals",
    ),
    Clause(
        id="ARG-13",
        sentence=(
            "a list of tasks means the same with and without blanks after its commas"
        ),
        evidence="mlcube 6b32fa3 looks for a task whose name begins with a blank",
        fact=57,
        needs=("several-tasks",),
        test=f"{_ARG}::test_task_list",
    ),
    Clause(
        id="ARG-14",
        sentence=(
            "without a task, the only one is run; where there are several, they are "
            "listed and none is run"
        ),
        evidence="mlcube f5f34b6 (#224)",
        fact=58,
        needs=("default-task",),
        test=f"{_ARG}::test_default_task",
    ),
    Clause(
        id="ARG-15",
        sentence=(
            "a value that is a number is refused by a message that names the parameter"
        ),
        evidence="mlcube ab5b38f and 6b32fa3 end with a traceback",
        fact=59,
        test=f"{_ARG}::test_integer_value",
    ),
    Clause(
        id="ARG-16",
        sentence="a value that is the text null, in quotes, stays text",
        evidence="the model cube of FeTS has such a default",
        fact=60,
        test=f"{_ARG}::test_text_null",
    ),
    Clause(
        id="ARG-17",
        sentence=(
            "without a type, a trailing slash means a folder, an input has the type "
            "of what exists, and an output is refused"
        ),
        evidence="seen in mlcube 6b32fa3",
        fact=61,
        needs=("single-file",),
        test=f"{_ARG}::test_type_by_value",
    ),
    Clause(
        id="ARG-18",
        sentence=(
            "an entrypoint of one word or of several gets the parameters, without the "
            "name of the task"
        ),
        evidence=(
            "mlcube bdae7c8, c9b4979, d69bec9; 6b32fa3 passes none to one of one word"
        ),
        fact=62,
        needs=("single-file",),
        test=f"{_ARG}::test_entrypoint",
    ),
    Clause(
        id="ARG-19",
        sentence="an entrypoint of null means that of the image",
        evidence="confirmed in mlcube 6b32fa3",
        fact=63,
        needs=("single-file",),
        test=f"{_ARG}::test_null_entrypoint",
    ),
    Clause(
        id="ARG-20",
        sentence="a task without parameters runs",
        evidence="confirmed in mlcube 6b32fa3",
        fact=64,
        test=f"{_ARG}::test_no_parameters",
    ),
)
