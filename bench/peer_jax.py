#!/usr/bin/env python3
"""The steps of `onedge_bench_step` in JAX, compiled as a whole by jax.jit, for compare.py (peer.py: modes and protocol).

The networks are those of tests/reference.
"""

import pathlib
import sys
import warnings

import jax
import jax.numpy as jnp
import numpy as np

import peer

warnings.filterwarnings("ignore", message="Explicitly requested dtype float64")  # shapes alone are asked for
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "reference"))
import reference_networks as networks  # noqa: E402


def max_pool(x, size, stride, padding):
    """As Flax does it; the reference spells it out for the sake of ties."""
    pads = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, size, size, 1), (1, stride, stride, 1), pads)


networks.max_pool = max_pool


class Stepper:
    WEIGHT_DECAY, RATE = 1e-4, 1e-3

    def __init__(self, samples, kind, sample, hidden):
        random = np.random.default_rng(0)
        self.section = {"kind": kind, **({"hidden": hidden} if kind == "mlp" else {})}
        self.classes = peer.VOCABULARY if kind == "nanolm" else peer.CLASSES
        if kind == "nanolm":
            self.x, self.y = (jnp.asarray(random.integers(peer.VOCABULARY, size=(samples, *sample))) for _ in range(2))
        else:
            self.x = jnp.asarray(random.random((samples, *sample), np.float32))
            self.y = jnp.asarray(random.integers(peer.CLASSES, size=samples))
        self.weights = {
            name: jnp.asarray(random.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[:-1]))), jnp.float32)
            for name, shape in networks.shapes(self.section, tuple(sample), self.classes).items()}
        self.direction = {name: jnp.ones_like(value) for name, value in self.weights.items()}
        self.compiled = {mode: jax.jit(getattr(self, "_" + mode)) for mode in
                         ("constant", "cdat", "cdat_product", "gradient", "product")}

    def loss(self, weights, x, y):
        logits = networks.logits(self.section, weights, x, self.classes)
        label = jnp.take_along_axis(logits, y[..., None], axis=-1)[..., 0]
        decay = sum(jnp.vdot(w, w) for w in weights.values())
        return jnp.mean(jax.nn.logsumexp(logits, axis=-1) - label) + 0.5 * self.WEIGHT_DECAY * decay

    def _gradient(self, weights, x, y):
        return jax.value_and_grad(self.loss)(weights, x, y)

    def _product(self, weights, x, y, direction):
        return jax.jvp(lambda w: jax.grad(self.loss)(w, x, y), (weights,), (direction,))[1]

    def _move(self, weights, update, rate):
        return {name: weights[name] + rate * update[name] for name in weights}

    def _constant(self, weights, x, y):
        loss, gradient = self._gradient(weights, x, y)
        return loss, self._move(weights, gradient, -self.RATE)

    def _along(self, weights, update, curvature):
        slope = -sum(jnp.vdot(u, u) for u in update.values())
        rate = 2 * jnp.maximum(-slope, 0) / (jnp.abs(curvature) + 1e-12)
        return self._move(weights, update, jnp.minimum(rate, self.RATE))

    def _cdat(self, weights, x, y):
        loss, gradient = self._gradient(weights, x, y)
        update = jax.tree.map(jnp.negative, gradient)
        slope = lambda point: jax.jvp(lambda w: self.loss(w, x, y), (point,), (update,))[1]
        curvature = jax.jvp(slope, (weights,), (update,))[1]
        return loss, self._along(weights, update, curvature)

    def _cdat_product(self, weights, x, y):
        loss, gradient = self._gradient(weights, x, y)
        update = jax.tree.map(jnp.negative, gradient)
        product = self._product(weights, x, y, update)
        curvature = sum(jnp.vdot(product[name], update[name]) for name in update)
        return loss, self._along(weights, update, curvature)

    def step(self, mode):
        if mode == "product":
            return jax.block_until_ready(self.compiled[mode](self.weights, self.x, self.y, self.direction))
        result = self.compiled[mode](self.weights, self.x, self.y)
        if mode != "gradient":
            self.weights = result[1]
        jax.block_until_ready(result)
        return float(result[0])


def main():
    arguments = peer.arguments(__doc__).parse_args()
    stepper = Stepper(arguments.samples, arguments.model, arguments.sample, arguments.hidden)
    peer.serve(jax.__version__, {mode: lambda mode=mode: stepper.step(mode) for mode in stepper.compiled})


if __name__ == "__main__":
    main()
