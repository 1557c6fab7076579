"""The tasks of the cube: each gets its name and the paths of its parameters."""

import argparse
import csv
import json
import sys
from pathlib import Path


def prepare(
    data_path: Path,
    labels_path: Path,
    parameters_file: Path,
    output_path: Path,
    output_labels_path: Path,
) -> None:
    """Keep the cases of the age that the parameters ask for, and their labels."""
    youngest = json.loads(parameters_file.read_text("utf-8"))["youngest"]
    cases = [x for x in read(data_path / "cases.csv") if int(x["age"]) >= youngest]
    known = {each["case"] for each in cases}
    labels = [x for x in read(labels_path / "labels.csv") if x["case"] in known]
    write(output_path / "cases.csv", cases)
    write(output_labels_path / "labels.csv", labels)
    print(len(cases), "cases")


def sanity_check(data_path: Path, labels_path: Path) -> None:
    """Fail unless each case has one label."""
    cases = sorted(each["case"] for each in read(data_path / "cases.csv"))
    if cases != sorted(each["case"] for each in read(labels_path / "labels.csv")):
        sys.exit("each case must have one label")


def statistics(data_path: Path, labels_path: Path, output_path: Path) -> None:
    """Write what may leave the site: counts and means, no case."""
    ages = [int(each["age"]) for each in read(data_path / "cases.csv")]
    labels = [each["label"] for each in read(labels_path / "labels.csv")]
    found = {
        "cases": len(ages),
        "mean age": sum(ages) / len(ages),
        "labels": {each: labels.count(each) for each in sorted(set(labels))},
    }
    output_path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def read(file: Path) -> list[dict[str, str]]:
    """Read a table."""
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def write(file: Path, rows: list[dict[str, str]]) -> None:
    """Write a table."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    tasks = parser.add_subparsers(dest="task", required=True)
    for task, names in (
        (
            prepare,
            (
                *("data_path", "labels_path", "parameters_file"),
                *("output_path", "output_labels_path"),
            ),
        ),
        (sanity_check, ("data_path", "labels_path")),
        (statistics, ("data_path", "labels_path", "output_path")),
    ):
        one = tasks.add_parser(task.__name__)
        one.set_defaults(run=task)
        for name in names:
            one.add_argument(f"--{name}", type=Path, required=True)
    given = vars(parser.parse_args())
    given.pop("task")
    given.pop("run")(**given)
