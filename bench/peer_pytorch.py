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


class Stepper:
    def __init__(self, samples, features, hidden, classes, compiled):
        torch.manual_seed(0)
        self.inputs = torch.rand(samples, features)
        self.labels = torch.randint(0, classes, (samples,))
        layers = []
        for width in hidden:
            layers += [torch.nn.Linear(features, width), torch.nn.ReLU()]
            features = width
        self.model = torch.nn.Sequential(*layers, torch.nn.Linear(features, classes))
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
    parser.add_argument("--features", type=int, required=True)
    parser.add_argument("--hidden", type=lambda text: [int(width) for width in text.split(",")], required=True)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    stepper = Stepper(arguments.samples, arguments.features, arguments.hidden, arguments.classes, arguments.compile)
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
