#!/usr/bin/env python3
"""The steps of `onedge_bench_step` in PyTorch, under the same protocol, for compare.py.

A line "MODE STEPS" on standard input is answered by one line of JSON with the seconds of each step. Only the mode
"constant" exists: loss, gradient, weight decay and the update, in place, on inputs that are already in single
precision; the loss is read, as any training log does. The first line of output describes the peer.
"""

import argparse
import json
import sys
import time

import torch


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
    def __init__(self, samples, kind, sample, hidden, compiled, channels_last):
        torch.manual_seed(0)
        self.model = make_model(kind, sample, hidden)
        if kind == "nanolm":
            self.inputs, self.labels = (torch.randint(0, 65, (samples, sample[0])) for _ in range(2))
            self.labels = self.labels.flatten()
        else:
            shape = (sample[2], *sample[:2]) if len(sample) == 3 else sample
            self.inputs, self.labels = torch.rand(samples, *shape), torch.randint(0, 10, (samples,))
        if channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.inputs = self.inputs.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-3, weight_decay=1e-4)
        self.loss = torch.compile(self._loss) if compiled else self._loss

    def _loss(self):
        return torch.nn.functional.cross_entropy(self.model(self.inputs), self.labels)

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, required=True)
    numbers = lambda text: [int(word) for word in text.split(",") if word]
    parser.add_argument("--model", default="mlp", help="kind of network, as in decks")
    parser.add_argument("--sample", type=numbers, required=True, help="shape of a sample")
    parser.add_argument("--hidden", type=numbers, default=[256, 256, 256])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--channels-last", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    stepper = Stepper(arguments.samples, arguments.model, arguments.sample, arguments.hidden, arguments.compile,
                      arguments.channels_last)
    stepper.step()
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        mode, steps = line.split()
        if mode != "constant":
            sys.exit(f"no mode {mode}")
        seconds = []
        for _ in range(int(steps)):
            start = time.perf_counter()
            stepper.step()
            seconds.append(time.perf_counter() - start)
        print(json.dumps({"mode": mode, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
