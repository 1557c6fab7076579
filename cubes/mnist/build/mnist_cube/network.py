"""The network: three convolutions with batch normalisation, and one linear layer."""

from torch import nn

from mnist_cube.idx import CLASSES

_CHANNELS = (16, 32, 64)
_LAST_SIDE = 3  # 28 pixels, halved three times


def make_network() -> nn.Sequential:
    """Return the untrained network, from pixels in [0, 1] to one score per digit."""
    # The first layer learns mean and spread of the pixels, so that whoever uses the
    # exported model need not know them.
    layers: list[nn.Module] = [nn.BatchNorm2d(1, affine=False)]
    before = 1
    for channels in _CHANNELS:
        layers += (
            nn.Conv2d(before, channels, kernel_size=3, padding=1, bias=False),
            # Pooling first leaves a quarter of the work to the next two layers.
            nn.MaxPool2d(2),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )
        before = channels
    layers += (nn.Flatten(), nn.Linear(before * _LAST_SIDE**2, CLASSES))
    return nn.Sequential(*layers)
