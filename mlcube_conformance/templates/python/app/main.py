"""The tasks of the cube: each gets its name and the paths of its parameters."""

import argparse
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any


def prepare(text: Path, data: Path) -> None:
    """Split labelled lines into those to learn from and those to test with."""
    rows = [line.split("\t", 1) for line in text.read_text("utf-8").splitlines()]
    save(data / "test.json", rows[::5])
    save(data / "train.json", [row for n, row in enumerate(rows) if n % 5])


def train(data: Path, model: Path) -> None:
    """Count which words stand in texts of which label."""
    counts: dict[str, Counter[str]] = {}
    for label, text in load(data / "train.json"):
        counts.setdefault(label, Counter()).update(text.lower().split())
    print("labels", sorted(counts))
    save(model / "model.json", counts)


def evaluate(data: Path, model: Path, metrics: Path) -> None:
    """Write which share of the other texts gets its label."""
    counts = load(model / "model.json")
    rows = load(data / "test.json")
    right = sum(guess(counts, text) == label for label, text in rows)
    save(metrics, {"accuracy": right / len(rows)})


def guess(counts: dict[str, dict[str, int]], text: str) -> str:
    """Return the label that is the most probable for a text."""

    def score(label: str) -> float:
        known = counts[label]
        total = sum(known.values()) + len(known)
        return sum(
            math.log((known.get(word, 0) + 1) / total) for word in text.lower().split()
        )

    return max(sorted(counts), key=score)


def load(file: Path) -> Any:
    """Read a file of JSON."""
    return json.loads(file.read_text("utf-8"))


def save(file: Path, content: object) -> None:
    """Write a file of JSON."""
    file.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    tasks = parser.add_subparsers(dest="task", required=True)
    for task, names in (
        (prepare, ("text", "data")),
        (train, ("data", "model")),
        (evaluate, ("data", "model", "metrics")),
    ):
        one = tasks.add_parser(task.__name__)
        one.set_defaults(run=task)
        for name in names:
            one.add_argument(f"--{name}", type=Path, required=True)
    given = vars(parser.parse_args())
    given.pop("task")
    given.pop("run")(**given)
