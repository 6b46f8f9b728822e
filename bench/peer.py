"""What the peers of compare.py share: their options, and the protocol of `onedge_bench_step`.

A line "MODE STEPS" on standard input is answered by one line of JSON with the seconds of each step. The first line of
output describes the peer: {"version": …, "modes": [those that it has]}.
"""

import argparse
import json
import sys
import time

MODES = """constant      loss, gradient, weight decay, update; the loss is read, as any training log does
cdat          the same with CDAT's rate, the curvature by forward mode twice
cdat_product  the same with CDAT's rate, the curvature as u·Hu of a Hessian-vector product
gradient      loss and gradient
product       a Hessian-vector product"""
CLASSES, VOCABULARY = 10, 65


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="modes\n" + MODES)
    numbers = lambda text: [int(word) for word in text.split(",") if word]
    parser.add_argument("--samples", type=int, required=True)
    parser.add_argument("--model", default="mlp", help="kind of network, as in decks")
    parser.add_argument("--sample", type=numbers, required=True, help="shape of a sample, channels last")
    parser.add_argument("--hidden", type=numbers, default=[256, 256, 256], help="of an mlp")
    parser.add_argument("--threads", type=int, default=2)
    return parser


def serve(version, steps, facts={}):
    """steps: {mode: a function that makes one step and waits for its end}. A mode that fails is answered by why. facts: what
    the first line says besides."""
    print(json.dumps({"version": version, "modes": list(steps), **facts}), flush=True)
    warm = set()
    for line in sys.stdin:
        mode, count = line.split()
        try:
            if mode not in warm:
                steps[mode]()  # compiles, takes memory
                warm.add(mode)
            seconds = []
            for _ in range(int(count)):
                start = time.perf_counter()
                steps[mode]()
                seconds.append(time.perf_counter() - start)
            print(json.dumps({"mode": mode, "seconds": seconds}), flush=True)
        except Exception as error:  # noqa: BLE001: the peer's library says what it cannot do
            reason = str(error).strip().splitlines() or [type(error).__name__]
            print(json.dumps({"mode": mode, "error": f"{type(error).__name__}: {reason[0]}"}), flush=True)
