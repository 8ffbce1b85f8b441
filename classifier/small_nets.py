"""Networks of our own that are trained from scratch: two plain convolutional ones and a small residual one.

They stand for the baselines of the source documents (S2.5, S3.5, S3.6), which give their shape but no listing: where a
document is silent, the width was chosen so that the number of parameters comes out as it says.
"""

from __future__ import annotations

from torch import Tensor, nn


def _block(inputs: int, outputs: int, *, norm: bool) -> nn.Sequential:
    """Return convolution, batch norm where asked for, ReLU and 2 × 2 max pooling."""
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=not norm)
    middle = [nn.BatchNorm2d(outputs)] if norm else []
    return nn.Sequential(convolution, *middle, nn.ReLU(), nn.MaxPool2d(2))


class ScratchCnn(nn.Module):
    """Three blocks of convolution and pooling, then two linear layers with dropout between them.

    Input (N, 3, H, W), H and W at least 8 times `pooled`; output (N, classes). What comes out of the blocks is averaged
    to `pooled` × `pooled`: 1 is global average pooling.
    """

    def __init__(self, widths: tuple[int, int, int], pooled: int, hidden: int, *, norm: bool) -> None:
        super().__init__()
        first, second, third = widths
        self.block1 = _block(3, first, norm=norm)
        self.block2 = _block(first, second, norm=norm)
        self.block3 = _block(second, third, norm=norm)
        self.pool = nn.AdaptiveAvgPool2d(pooled)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(third * pooled * pooled, hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(hidden, 1000),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, classes)."""
        logits: Tensor = self.classifier(self.pool(self.block3(self.block2(self.block1(x)))))
        return logits


def scratch_cnn_s2(_side: int) -> nn.Module:
    """Return the baseline of S2.5: 32, 64, 128 channels with batch norm, global average pooling, 0.1 M parameters."""
    return ScratchCnn((32, 64, 128), 1, 128, norm=True)


def scratch_cnn_s3(_side: int) -> nn.Module:
    """Return the baseline of S3.5: no batch norm, 4 × 4 positions into the linear layers, 2.0 M parameters."""
    return ScratchCnn((64, 128, 256), 4, 384, norm=False)


class Residual(nn.Module):
    """y = relu(F(x) + x), F two convolutions with batch norm (He et al., CVPR 2016, figure 2).

    Where the shape changes, x goes through a 1 × 1 convolution. `stride` 2 halves the sides.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs),
        )  # fmt: skip
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )  # fmt: skip
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(F(x) + x)."""
        y: Tensor = self.relu(self.body(x) + self.shortcut(x))
        return y


class MiniResnet(nn.Module):
    """A stem, then residual blocks of 64, 128 and 256 channels (2, 2 and 3 of them), global average pooling, linear.

    Input (N, 3, H, W), output (N, classes). 4.0 M parameters, as S3.6 says of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        self.layer1 = nn.Sequential(Residual(64, 64), Residual(64, 64))
        self.layer2 = nn.Sequential(Residual(64, 128, 2), Residual(128, 128))
        self.layer3 = nn.Sequential(Residual(128, 256, 2), Residual(256, 256), Residual(256, 256))
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(256, 1000)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, classes)."""
        logits: Tensor = self.fc(self.pool(self.layer3(self.layer2(self.layer1(self.stem(x))))))
        return logits


def mini_resnet(_side: int) -> nn.Module:
    """Return the small residual network of S3.6."""
    return MiniResnet()
