"""Turn the CAM++ speaker embedding (a torch checkpoint) into assets/campplus.onnx.

    python scripts/convert_campplus.py models/campplus-zh-en/campplus_cn_en_common.pt

Needs torch and onnx; the product needs neither. The network is that of "CAM++: A Fast and
Efficient Network for Speaker Verification Using Context-Aware Masking" (2303.00332), the weights
are 3D-Speaker's (Apache-2.0), stored as float16 and computed with as float32.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

MELS, EMBEDDING, GROWTH, BOTTLENECK, SEGMENT = 80, 192, 32, 128, 100
BLOCKS = ((12, 1), (24, 2), (16, 2))  # layers and dilation of each dense block
TARGET = Path(__file__).resolve().parent.parent / "assets" / "campplus.onnx"
OPSET = 17
SMALL = 1000  # numbers; shorter arrays stay float32


class Residual(nn.Module):
    """Two convolutions over (mels, frames) beside a shortcut; `stride` thins the mels."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(32, 32, 3, (stride, 1), 1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 32, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(32, 32, 1, (stride, 1), bias=False), nn.BatchNorm2d(32)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 32, mels, frames) to the same with mels / stride."""
        inner = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (inner + self.shortcut(x)).relu()


class Head(nn.Module):
    """Looks at the spectrogram as a picture: 80 mels become 32 x 10 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.layer1 = nn.Sequential(Residual(2), Residual(1))
        self.layer2 = nn.Sequential(Residual(2), Residual(1))
        self.conv2 = nn.Conv2d(32, 32, 3, (2, 1), 1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, mels, frames) to (batch, 320, frames)."""
        x = self.bn1(self.conv1(x.unsqueeze(1))).relu()
        return self.bn2(self.conv2(self.layer2(self.layer1(x)))).relu().flatten(1, 2)


class Activation(nn.Module):
    """Batch normalisation, then ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.batchnorm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return self.batchnorm(x).relu()


class ContextMask(nn.Module):
    """A convolution whose channels are weighed by what the whole and the near second hold."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(
            BOTTLENECK, GROWTH, 3, padding=dilation, dilation=dilation, bias=False
        )
        self.linear1 = nn.Conv1d(BOTTLENECK, BOTTLENECK // 2, 1)
        self.linear2 = nn.Conv1d(BOTTLENECK // 2, GROWTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 128, frames) to (batch, 32, frames)."""
        near = nn.functional.avg_pool1d(x, SEGMENT, SEGMENT, ceil_mode=True)
        near = near.unsqueeze(-1).expand(-1, -1, -1, SEGMENT).flatten(2)[..., : x.shape[-1]]
        context = x.mean(-1, keepdim=True) + near
        return self.linear_local(x) * self.linear2(self.linear1(context).relu()).sigmoid()


class DenseLayer(nn.Module):
    """One layer of a dense block: GROWTH new channels from all those before."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = Activation(channels)
        self.linear1 = nn.Conv1d(channels, BOTTLENECK, 1, bias=False)
        self.nonlinear2 = Activation(BOTTLENECK)
        self.cam_layer = ContextMask(dilation)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) to (batch, channels + GROWTH, frames)."""
        new = self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))
        return torch.cat([x, new], 1)


class Entrance(nn.Module):
    """Halves the frames on their way into the dense blocks."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, out, 5, stride=2, padding=2, bias=False)
        self.nonlinear = Activation(out)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) to (batch, out, frames / 2)."""
        return self.nonlinear(self.linear(x))


class Transit(nn.Module):
    """Halves the channels after a dense block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nonlinear = Activation(channels)
        self.linear = nn.Conv1d(channels, channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) to (batch, channels / 2, frames)."""
        return self.linear(self.nonlinear(x))


class Embedding(nn.Module):
    """The last layer: normalised without weights of its own, and no ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, EMBEDDING, 1, bias=False)
        self.nonlinear = nn.Sequential()
        self.nonlinear.add_module("batchnorm", nn.BatchNorm1d(EMBEDDING, affine=False))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels) to (batch, 192)."""
        return self.nonlinear(self.linear(x.unsqueeze(-1)).squeeze(-1))


class CamPlusPlus(nn.Module):
    """(batch, frames, 80 normalised log mels) to (batch, 192)."""

    def __init__(self) -> None:
        super().__init__()
        self.head = Head()
        self.xvector = nn.Sequential()
        self.xvector.add_module("tdnn", Entrance(320, 128))
        channels = 128
        for number, (layers, dilation) in enumerate(BLOCKS, 1):
            block = nn.Sequential()
            for layer in range(layers):
                block.add_module(f"tdnnd{layer + 1}", DenseLayer(channels, dilation))
                channels += GROWTH
            self.xvector.add_module(f"block{number}", block)
            self.xvector.add_module(f"transit{number}", Transit(channels))
            channels //= 2
        self.xvector.add_module("out_nonlinear", Activation(channels))
        self.dense = Embedding(2 * channels)

    def forward(self, features: Tensor) -> Tensor:
        """One vector a recording; its length says nothing."""
        x = self.xvector(self.head(features.transpose(1, 2)))
        mean = x.mean(-1, keepdim=True)
        deviation = ((x - mean).square().sum(-1) / (x.shape[-1] - 1)).sqrt()
        return self.dense(torch.cat([mean.squeeze(-1), deviation], 1))


def network(checkpoint: Path) -> CamPlusPlus:
    """The network with the checkpoint's weights; every key must have its place."""
    weights = torch.load(checkpoint, map_location="cpu", weights_only=True)
    moved = {key.replace("xvector.dense.", "dense."): value for key, value in weights.items()}
    model = CamPlusPlus().eval()
    model.load_state_dict(moved)
    return model


def halve(model: onnx.ModelProto) -> None:
    """Store the large weights as float16; a Cast beside each gives float32 back when loaded."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) > SMALL:
            half = numpy_helper.to_array(tensor).astype(np.float16)
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)


def convert(checkpoint: Path, target: Path) -> None:
    """Export, halve, and compare with the network itself."""
    model = network(checkpoint)
    frames = torch.randn(1, 317, MELS)
    torch.onnx.export(
        model,
        (frames,),
        str(target),
        input_names=["features"],
        output_names=["embedding"],
        dynamic_axes={"features": {0: "batch", 1: "frames"}, "embedding": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )
    graph = onnx.load(target)
    halve(graph)
    graph.producer_name = "dragtor"
    graph.doc_string = (
        "CAM++ speaker embedding, weights of 3D-Speaker (Apache-2.0); features: Kaldi's 80 log"
        " mels of 16 kHz audio in -1..1, their mean over the frames taken off"
    )
    onnx.save(graph, target)
    check(model, target)


def check(model: CamPlusPlus, target: Path) -> None:
    """Cosines between the graph's vectors and the network's, for several lengths."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    for frames in (20, 150, 200, 201, 317, 1000):
        features = torch.randn(1, frames, MELS)
        with torch.no_grad():
            ours = model(features)[0].numpy()
        theirs = session.run(None, {"features": features.numpy()})[0][0]
        cosine = ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)
        print(f"{frames} frames: cosine {cosine:.6f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--target", type=Path, default=TARGET)
    options = parser.parse_args()
    convert(options.checkpoint, options.target)
    print(f"{options.target}: {options.target.stat().st_size / 1e6:.1f} MB")
