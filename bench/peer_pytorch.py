#!/usr/bin/env python3
"""The steps of `onedge_bench_step` in PyTorch, for compare.py (peer.py: modes and protocol).

Inputs are in single precision already; weights are updated in place. On a GPU the first line of output also has the
operations of a step at a constant rate, and the TFLOP/s of a large matrix product.
"""

import contextlib
import time

import torch
from torch.func import functional_call, jvp
from torch.nn.attention import SDPBackend, sdpa_kernel

import peer


def convolution(channels, filters, size, stride=1, padding=0):
    return torch.nn.Conv2d(channels, filters, size, stride, padding, bias=False)


class ResidualBlock(torch.nn.Module):
    """Two 3x3 convolutions and a projected shortcut, without normalisation, as in Scenic."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.projection = convolution(channels, filters, 1, stride)
        self.branch = torch.nn.Sequential(convolution(channels, filters, 3, stride, 1), torch.nn.ReLU(),
                                          convolution(filters, filters, 3, 1, 1))

    def forward(self, x):
        return torch.nn.functional.relu(self.projection(x) + self.branch(x))


class PixelNorm(torch.nn.LayerNorm):
    """LayerNorm over the channels of each pixel."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Bottleneck(torch.nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        out = 4 * filters
        self.projection = torch.nn.Identity()
        if channels != out or stride != 1:
            self.projection = torch.nn.Sequential(convolution(channels, out, 1, stride), PixelNorm(out))
        self.branch = torch.nn.Sequential(
            convolution(channels, filters, 1), PixelNorm(filters), torch.nn.ReLU(),
            convolution(filters, filters, 3, stride, 1), PixelNorm(filters), torch.nn.ReLU(),
            convolution(filters, out, 1), PixelNorm(out))

    def forward(self, x):
        return torch.nn.functional.relu(self.projection(x) + self.branch(x))


def resnet(block, expansion, stem):
    layers, channels = [convolution(3, 64, 7, 2, 3), *stem, torch.nn.ReLU(), torch.nn.MaxPool2d(3, 2, 1)], 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        filters = 64 * 2**stage
        for index in range(blocks):
            layers.append(block(channels, filters, 2 if stage > 0 and index == 0 else 1))
            channels = expansion * filters
    pool = [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()]
    return torch.nn.Sequential(*layers, *pool, torch.nn.Linear(channels, 10))


def mlp_block(width, hidden):
    return torch.nn.Sequential(torch.nn.Linear(width, hidden), torch.nn.GELU(approximate="tanh"),
                               torch.nn.Linear(hidden, width))


class MixerBlock(torch.nn.Module):
    def __init__(self, tokens, width):
        super().__init__()
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(width) for _ in range(2))
        self.tokens, self.channels = mlp_block(tokens, 96), mlp_block(width, 768)

    def forward(self, x):
        x = x + self.tokens(self.norms[0](x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norms[1](x))


class Patches(torch.nn.Conv2d):
    def forward(self, x):
        return super().forward(x).flatten(2).transpose(1, 2)


class Mixer(torch.nn.Module):
    def __init__(self, image):
        super().__init__()
        self.patches = Patches(3, 192, 8, 8)
        self.blocks = torch.nn.Sequential(*(MixerBlock((image // 8) ** 2, 192) for _ in range(12)))
        self.norm, self.head = torch.nn.LayerNorm(192), torch.nn.Linear(192, 10)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.patches(x))).mean(1))


class Attention(torch.nn.Module):
    def __init__(self, width, heads, inner, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.projection, self.out = torch.nn.Linear(width, 3 * inner), torch.nn.Linear(inner, width)

    def forward(self, x):
        n, length, _ = x.shape
        query, key, value = self.projection(x).reshape(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return self.out(mixed.transpose(1, 2).reshape(n, length, -1))


class EncoderBlock(torch.nn.Module):
    def __init__(self, width, attention, mlp):
        super().__init__()
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(width) for _ in range(2))
        self.attention, self.mlp = attention, mlp

    def forward(self, x):
        x = x + self.attention(self.norms[0](x))
        return x + self.mlp(self.norms[1](x))


class Vit(torch.nn.Module):
    def __init__(self, image):
        super().__init__()
        self.patches = Patches(3, 192, 32, 32)
        self.token = torch.nn.Parameter(torch.zeros(1, 1, 192))
        self.positions = torch.nn.Parameter(torch.randn(1, 1 + (image // 32) ** 2, 192))
        self.blocks = torch.nn.Sequential(
            *(EncoderBlock(192, Attention(192, 3, 192, False), mlp_block(192, 768)) for _ in range(12)))
        self.norm, self.head = torch.nn.LayerNorm(192), torch.nn.Linear(192, 10)

    def forward(self, x):
        x = torch.cat([self.token.expand(len(x), -1, -1), self.patches(x)], 1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


class NanoLM(torch.nn.Module):
    def __init__(self, length, vocabulary):
        super().__init__()
        self.characters, self.positions = torch.nn.Embedding(vocabulary, 256), torch.nn.Embedding(length, 256)

        def mlp():
            return torch.nn.Sequential(torch.nn.Linear(256, 1024), torch.nn.ReLU(), torch.nn.Linear(1024, 256))

        self.blocks = torch.nn.Sequential(*(EncoderBlock(256, Attention(256, 8, 32, True), mlp()) for _ in range(6)))
        self.norm, self.head = torch.nn.LayerNorm(256), torch.nn.Linear(256, vocabulary)

    def forward(self, x):
        x = self.characters(x) + self.positions.weight
        return self.head(self.norm(self.blocks(x))).flatten(0, 1)


def make_model(kind, sample, hidden):
    if kind == "resnet34":
        return resnet(ResidualBlock, 1, [])
    if kind == "resnet50":
        return resnet(Bottleneck, 4, [PixelNorm(64)])
    if kind == "mixer_ti8":
        return Mixer(sample[0])
    if kind == "vit_ti32":
        return Vit(sample[0])
    if kind == "nanolm":
        return NanoLM(sample[0], 65)
    features, layers = sample[0], []
    for width in hidden:
        layers += [torch.nn.Linear(features, width), torch.nn.ReLU()]
        features = width
    return torch.nn.Sequential(*layers, torch.nn.Linear(features, 10))


class Stepper:
    WEIGHT_DECAY, RATE = 1e-4, 1e-3

    def __init__(self, samples, kind, sample, hidden, compiled, channels_last, device):
        torch.manual_seed(0)
        self.model = make_model(kind, sample, hidden)
        if kind == "nanolm":
            self.inputs, self.labels = (torch.randint(0, peer.VOCABULARY, (samples, sample[0])) for _ in range(2))
            self.labels = self.labels.flatten()
        else:
            shape = (sample[2], *sample[:2]) if len(sample) == 3 else sample
            self.inputs, self.labels = torch.rand(samples, *shape), torch.randint(0, peer.CLASSES, (samples,))
        if channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.inputs = self.inputs.to(memory_format=torch.channels_last)
        self.model = self.model.to(device)
        self.inputs, self.labels = self.inputs.to(device), self.labels.to(device)
        self.names, self.weights = zip(*self.model.named_parameters())
        self.optimizer = torch.optim.SGD(self.weights, lr=self.RATE, weight_decay=self.WEIGHT_DECAY)
        self.loss = torch.compile(self._loss) if compiled else self._loss

    def _loss(self):
        return torch.nn.functional.cross_entropy(self.model(self.inputs), self.labels)

    def _loss_at(self, *weights):
        logits = functional_call(self.model, dict(zip(self.names, weights)), (self.inputs,))
        return torch.nn.functional.cross_entropy(logits, self.labels)

    def constant(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def gradient(self):
        loss = self.loss()
        gradient = torch.autograd.grad(loss, self.weights)
        return loss.item(), gradient

    def _move(self, gradient, curvature):
        """Along u = −g − wd·w by CDAT's rate."""
        with torch.no_grad():
            update = [-g - self.WEIGHT_DECAY * w for g, w in zip(gradient, self.weights)]
            slope = sum(torch.sum(u * u) for u in update)
            curvature = curvature(update) + self.WEIGHT_DECAY * slope
            rate = 2 * slope / (abs(curvature) + 1e-12)
            for weight, u in zip(self.weights, update):
                weight.add_(u, alpha=min(rate.item(), self.RATE))

    def cdat(self):
        loss, gradient = self.gradient()
        weights = tuple(weight.detach() for weight in self.weights)

        def curvature(update):
            slope = lambda *point: jvp(self._loss_at, point, tuple(update))[1]
            return jvp(slope, weights, tuple(update))[1]

        self._move(gradient, curvature)
        return loss

    def cdat_product(self):
        loss = self.loss()
        gradient = torch.autograd.grad(loss, self.weights, create_graph=True)

        def curvature(update):
            with torch.enable_grad():
                slope = sum(torch.sum(g * u) for g, u in zip(gradient, update))
                product = torch.autograd.grad(slope, self.weights)
            return sum(torch.sum(h * u) for h, u in zip(product, update))

        self._move([g.detach() for g in gradient], curvature)
        return loss.item()

    def product(self):
        """On the graph of the gradient, which the first call makes."""
        if not hasattr(self, "graph"):
            self.graph = torch.autograd.grad(self._loss(), self.weights, create_graph=True)
            self.direction = [torch.randn_like(weight) for weight in self.weights]
        return torch.autograd.grad(self.graph, self.weights, self.direction, retain_graph=True)


def operations(stepper):
    """Floating-point operations of a step's matrix products and convolutions."""
    from torch.utils.flop_counter import FlopCounterMode
    with FlopCounterMode(display=False) as counter:
        stepper._loss().backward()
    return counter.get_total_flops()


def ceiling(device, size=8192, repetitions=10):
    """TFLOP/s of the product of two matrices."""
    a, b = (torch.rand(size, size, device=device) for _ in range(2))
    best = float("inf")
    for _ in range(repetitions):
        torch.cuda.synchronize()
        start = time.perf_counter()
        a @ b
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2e-12 * size**3 / best


def main():
    parser = peer.arguments(__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tf32", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--channels-last", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    options = (arguments.samples, arguments.model, arguments.sample, arguments.hidden, arguments.compile,
               arguments.channels_last, arguments.device)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = arguments.tf32
    on_device = arguments.device != "cpu"
    steppers = {}

    def step(mode):  # each mode has weights and memory of its own
        if mode not in steppers:
            steppers[mode] = Stepper(*options)
        curved = mode in ("cdat", "cdat_product", "product")  # the fused attention has one derivative only
        with sdpa_kernel(SDPBackend.MATH) if curved else contextlib.nullcontext():
            getattr(steppers[mode], mode)()
        if on_device:
            torch.cuda.synchronize()

    modes = ["constant"] if arguments.compile else [line.split()[0] for line in peer.MODES.splitlines()]
    facts = {}
    if on_device:
        facts = {"device": torch.cuda.get_device_name(), "operations": operations(Stepper(*options)),
                 "ceiling": ceiling(arguments.device)}
    peer.serve(torch.__version__, {mode: lambda mode=mode: step(mode) for mode in modes}, facts)


if __name__ == "__main__":
    main()
