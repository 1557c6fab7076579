"""The training loop and the evaluation after each pass."""

import logging
import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from mnist_cube.errors import CubeError
from mnist_cube.idx import SIDE, Bytes
from mnist_cube.network import make_network
from mnist_cube.parameters import TrainParameters

_EVALUATION_BATCH = 1000
_WARM_UP = 0.2

_LOG = logging.getLogger("mnist_cube")

Data: TypeAlias = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """Hold what one pass over the training images came to."""

    number: int
    train_loss: float
    test_loss: float
    test_accuracy: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Hold the trained network, on the CPU, and how it got there."""

    network: nn.Sequential
    epochs: tuple[Epoch, ...]
    train_images: int
    test_images: int
    device: str
    threads: int


def learn(
    parameters: TrainParameters,
    training: tuple[Bytes, Bytes],
    test: tuple[Bytes, Bytes],
) -> Result:
    """Train a new network and evaluate it on all test images after each epoch."""
    device = _device(parameters.device)
    threads = parameters.threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True)
    # Memory is filled for those who read what they never wrote.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.manual_seed(parameters.seed)
    _LOG.info("PyTorch %s on %s, %d threads", torch.__version__, device, threads)
    train_data, test_data = _load(training, device), _load(test, device)
    network = make_network().to(device)
    batches = math.ceil(len(training[0]) / parameters.batch_size)
    optimizer = torch.optim.AdamW(
        network.parameters(),
        lr=parameters.learning_rate,
        weight_decay=parameters.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=parameters.learning_rate,
        total_steps=parameters.epochs * batches + 1,
        pct_start=_WARM_UP,
    )
    epochs: list[Epoch] = []
    for number in range(1, parameters.epochs + 1):
        started = time.monotonic()
        train_loss = _pass(network, optimizer, schedule, train_data, parameters)
        test_loss, test_accuracy = _evaluate(network, test_data)
        epoch = Epoch(
            number=number,
            train_loss=train_loss,
            test_loss=test_loss,
            test_accuracy=test_accuracy,
            seconds=round(time.monotonic() - started, 3),
        )
        _check(epoch)
        _tell(epoch, parameters.epochs)
        epochs.append(epoch)
    return Result(
        network=network.cpu().eval().to(memory_format=torch.contiguous_format),
        epochs=tuple(epochs),
        train_images=len(training[0]),
        test_images=len(test[0]),
        device=str(device),
        threads=threads,
    )


def _pass(
    network: nn.Sequential,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.OneCycleLR,
    data: Data,
    parameters: TrainParameters,
) -> float:
    network.train()
    total = torch.zeros((), device=data[0].device)
    for images, labels in _batches(data, parameters):
        loss = functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        total += loss.detach() * len(labels)
    return float(total) / len(data[0])


def _batches(data: Data, parameters: TrainParameters) -> Iterator[Data]:
    images, labels = data
    shift = parameters.max_shift
    order = torch.randperm(len(images)).to(images.device)
    for start in range(0, len(order), parameters.batch_size):
        chosen = order[start : start + parameters.batch_size]
        batch = functional.pad(_pixels(images[chosen]), [shift] * 4)
        # One move for the whole batch costs nothing and serves as well as many.
        down, right = torch.randint(0, 2 * shift + 1, (2,)).tolist()
        yield batch[:, :, down : down + SIDE, right : right + SIDE], labels[chosen]


def _evaluate(network: nn.Sequential, data: Data) -> tuple[float, float]:
    network.eval()
    loss, right = 0.0, 0
    images, labels = data
    with torch.inference_mode():
        for start in range(0, len(images), _EVALUATION_BATCH):
            batch = slice(start, start + _EVALUATION_BATCH)
            scores, truth = network(_pixels(images[batch])), labels[batch]
            loss += float(functional.cross_entropy(scores, truth, reduction="sum"))
            right += int((scores.argmax(dim=1) == truth).sum())
    return loss / len(images), right / len(images)


def _pixels(images: Tensor) -> Tensor:
    return images.float() / 255


def _load(data: tuple[Bytes, Bytes], device: torch.device) -> Data:
    images = torch.from_numpy(data[0]).unsqueeze(1)
    labels = torch.from_numpy(data[1]).long()
    return images.to(device), labels.to(device)


def _device(wanted: str) -> torch.device:
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        message = "the parameters ask for a CUDA device, but PyTorch sees none here"
        raise CubeError(message)
    return torch.device("cuda" if there and wanted != "cpu" else "cpu")


def _check(epoch: Epoch) -> None:
    for name, loss in (("train", epoch.train_loss), ("test", epoch.test_loss)):
        if not math.isfinite(loss):
            message = (
                f"training diverged: the {name} loss is {loss} in epoch "
                f"{epoch.number}; a lower learning_rate may help"
            )
            raise CubeError(message)


def _tell(epoch: Epoch, epochs: int) -> None:
    _LOG.info(
        "epoch %d of %d: "
        "train loss %.4f, test loss %.4f, test accuracy %.2f %%, %.1f s",
        epoch.number,
        epochs,
        epoch.train_loss,
        epoch.test_loss,
        100 * epoch.test_accuracy,
        epoch.seconds,
    )
