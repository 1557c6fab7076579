"""What a training came to: the metrics as JSON and its curve as a picture."""

import dataclasses
import io
import json
import platform
from collections.abc import Sequence

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mnist_cube.learning import Epoch, Result
from mnist_cube.parameters import TrainParameters


def encode_metrics(
    parameters: TrainParameters, result: Result, *, data: str, seconds: float
) -> bytes:
    """Return metrics.json, its keys always in the same order."""
    last = result.epochs[-1]
    metrics = {
        "data": data,
        "test_accuracy": last.test_accuracy,
        "test_loss": last.test_loss,
        "train_images": result.train_images,
        "test_images": result.test_images,
        "epochs": [dataclasses.asdict(epoch) for epoch in result.epochs],
        "parameters": dataclasses.asdict(parameters),
        "device": result.device,
        "threads": result.threads,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "seconds": seconds,
    }
    return (json.dumps(metrics, indent=2, allow_nan=False) + "\n").encode()


def draw_curve(epochs: Sequence[Epoch], data: str) -> bytes:
    """Return a PNG picture of loss and test error over the epochs on the data."""
    numbers = [epoch.number for epoch in epochs]
    # No pyplot: it keeps global state and looks for a screen.
    figure = Figure(figsize=(9, 4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    title = f"Training curve, data: {data}"
    figure.suptitle(title)
    losses, errors = figure.subplots(1, 2)
    losses.plot(numbers, [e.train_loss for e in epochs], marker="o", label="training")
    losses.plot(numbers, [e.test_loss for e in epochs], marker="o", label="test")
    losses.set(title="Loss", xlabel="epoch", ylabel="cross-entropy", yscale="log")
    losses.legend()
    errors.plot(numbers, [100 * (1 - e.test_accuracy) for e in epochs], marker="o")
    accuracy = f"{100 * epochs[-1].test_accuracy:.2f} % right at the end"
    errors.set(title=f"Test error ({accuracy})", xlabel="epoch", ylabel="wrong, %")
    errors.set_ylim(bottom=0)
    for axes in (losses, errors):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=True, alpha=0.3)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Title": title})
    return stream.getvalue()
