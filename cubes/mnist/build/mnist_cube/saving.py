"""The trained network as bytes: its weights, and a model that needs no code of ours."""

import io

import torch
from torch import nn

from mnist_cube.errors import CubeError
from mnist_cube.idx import Bytes


def encode_weights(network: nn.Sequential) -> bytes:
    """Return the weights as torch.save writes them."""
    stream = io.BytesIO()
    torch.save(network.state_dict(), stream)
    return stream.getvalue()


def encode_exported(network: nn.Sequential, images: Bytes) -> bytes:
    """Return the whole model, for batches of any length, after reading it back."""
    sample = torch.from_numpy(images[:8]).unsqueeze(1).float() / 255
    if len(sample) == 1:
        sample = sample.expand(2, -1, -1, -1)  # one image would fix the batch at one
    sample = sample.contiguous()
    batch = torch.export.Dim("batch")
    program = torch.export.export(network, (sample,), dynamic_shapes=({0: batch},))
    stream = io.BytesIO()
    torch.export.save(program, stream)
    stream.seek(0)
    again = torch.export.load(stream).module()
    with torch.inference_mode():
        if not torch.allclose(again(sample), network(sample), rtol=1e-4, atol=1e-4):
            message = "the exported model answers differently from the trained one"
            raise CubeError(message)
    return stream.getvalue()
