"""The network: two convolutions with batch normalisation, and one linear layer."""

import torch
from torch import nn

from mnist_cube.idx import CLASSES

_CHANNELS = (32, 64)
_LAST_SIDE = 3  # 28 pixels, halved three times


def make_network() -> nn.Sequential:
    """Return the untrained network, from pixels in [0, 1] to one score per digit."""
    # The first layer learns mean and spread of the pixels, so that whoever uses the
    # exported model need not know them. Four neighbours as one pixel of four channels
    # leave a quarter of the work to all that follows.
    layers: list[nn.Module] = [nn.BatchNorm2d(1, affine=False), nn.PixelUnshuffle(2)]
    before = 4
    for channels in _CHANNELS:
        layers += (
            nn.Conv2d(before, channels, kernel_size=3, padding=1, bias=False),
            # Pooling first leaves less work to the next two layers.
            nn.MaxPool2d(2),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )
        before = channels
    layers += (nn.Flatten(), nn.Linear(before * _LAST_SIDE**2, CLASSES))
    network = nn.Sequential(*layers)
    # Convolutions on the CPU are faster when the channels lie side by side.
    return network.to(memory_format=torch.channels_last)
