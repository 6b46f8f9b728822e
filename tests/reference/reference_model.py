"""An implementation of its own of what OnEdge trains and how: losses, base optimizers and tuners, on the networks of
reference_networks.py.

Written from the equations alone, with JAX's automatic differentiation (forward mode twice for the curvature) and Optax's
optimizers, and nothing shared with OnEdge. Everything in float64, unless an objective is asked for another type. Used by
tuner_reference.py and network_reference.py.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import scipy.sparse.linalg

import reference_networks as networks

jax.config.update("jax_enable_x64", True)


class Objective:
    """f(w) = mean loss over the samples (and positions) + (wd/2)‖w‖², with w flat, tensor after tensor, row-major.

    `section` is the section `model` of a deck, `shapes` the shape of each tensor by name.
    """

    def __init__(self, shapes, x, y, section, loss, weight_decay, real=jnp.float64):
        self.section, self.kind, self.weight_decay, self.real = section, loss, float(weight_decay), real
        self.classes = tuple(shapes[networks.head(section) + "/bias"])[0]
        self.shapes = networks.shapes(section, x.shape[1:], self.classes)
        self.names = list(self.shapes)
        assert self.shapes == {name: tuple(shape) for name, shape in shapes.items()}, "another network"
        x, y = jnp.asarray(x, jnp.int32 if section["kind"] == "nanolm" else real), jnp.asarray(y)
        # The data are arguments of the compiled functions: as constants they would be folded, which takes minutes.
        loss_and_gradient = jax.jit(jax.value_and_grad(self._loss))
        line = jax.jit(self._line)
        hessian_vector = jax.jit(lambda w, v, x, y: jax.jvp(lambda p: jax.grad(self._loss)(p, x, y), (w,), (v,))[1])
        value = jax.jit(self._loss)
        self.loss_and_gradient = lambda w: loss_and_gradient(w, x, y)
        self.line = lambda w, u: line(w, u, x, y)
        self.hessian_vector = lambda w, v: hessian_vector(w, v, x, y)
        self.loss = lambda w: float(value(w, x, y))

    def flatten(self, tensors):
        return jnp.concatenate([jnp.ravel(jnp.asarray(tensors[name], self.real)) for name in self.names])

    def tensors(self, w):
        parts, offset = {}, 0
        for name in self.names:
            size = math.prod(self.shapes[name])
            parts[name] = w[offset : offset + size].reshape(self.shapes[name])
            offset += size
        return parts

    def _logits(self, w, x):
        return networks.logits(self.section, self.tensors(w), x, self.classes)

    def _data_loss(self, logits, y):
        if self.kind == "cross_entropy":
            label = jnp.take_along_axis(logits, y[..., None], axis=-1)[..., 0]
            return jnp.mean(jax.nn.logsumexp(logits, axis=-1) - label)
        if self.kind in ("squared_error", "squared"):
            target = jax.nn.one_hot(y, self.classes, dtype=self.real)
            return jnp.mean(0.5 * jnp.sum((logits - target) ** 2, axis=-1))
        raise ValueError(f"loss {self.kind} is not implemented here")

    def _loss(self, w, x, y):
        return self._data_loss(self._logits(w, x), y) + 0.5 * self.weight_decay * jnp.vdot(w, w)

    def _line(self, w, u, x, y):
        """Slope gᵀu, curvature uᵀHu and Gauss-Newton curvature uᵀGu, by forward mode over forward mode."""

        def slope(point):
            return jax.jvp(lambda p: self._loss(p, x, y), (point,), (u,))[1]

        first, second = jax.jvp(slope, (w,), (u,))
        logits, tangent = jax.jvp(lambda p: self._logits(p, x), (w,), (u,))
        _, curved = jax.jvp(jax.grad(lambda z: self._data_loss(z, y)), (logits,), (tangent,))
        return first, second, jnp.vdot(tangent, curved) + self.weight_decay * jnp.vdot(u, u)


def make_optimizer(deck):
    """Optax's transformation at learning rate 1, so that its output is u."""
    kind = deck["kind"]
    if kind == "gd":
        return optax.sgd(1.0)
    if kind == "momentum":
        return optax.sgd(1.0, momentum=float(deck["momentum"]), nesterov=bool(deck["nesterov"]))
    if kind == "rmsprop":
        return optax.rmsprop(1.0, decay=float(deck["decay"]), eps=float(deck["eps"]), eps_in_sqrt=True)
    if kind == "adam":
        return optax.adam(
            1.0,
            b1=float(deck["beta1"]),
            b2=float(deck["beta2"]),
            eps=float(deck["eps"]),
            eps_root=float(deck["eps_root"]),
        )
    raise ValueError(f"optimizer {kind} is not implemented here")


class Line:
    """The objective along u at w; what costs something is computed when asked."""

    def __init__(self, objective, w, loss, gradient, u, step, previous_update):
        self.objective, self.w, self.u, self.step = objective, w, u, step
        self.loss = float(loss)
        self.gradient_norm = float(jnp.linalg.norm(gradient))
        self.update_norm = float(jnp.linalg.norm(u))
        self.slope, self.curvature, self.gauss_newton = map(float, objective.line(w, u))
        self.has_previous = previous_update is not None
        self.previous_slope = self.previous_update_norm = 0.0
        if self.has_previous:
            self.previous_slope = float(jnp.vdot(gradient, previous_update))
            self.previous_update_norm = float(jnp.linalg.norm(previous_update))
        self.parabolic = None  # set by the tuner that asks for it
        self.trials = []  # (η, f(w+ηu)) of every extra loss
        self.margins = []  # (f(w+ηu) − bound)/|f(w)| of a linesearch

    def loss_at(self, learning_rate):
        value = self.objective.loss(self.w + learning_rate * self.u)
        self.trials.append((learning_rate, value))
        return value


class Constant:
    def __init__(self, deck, steps):
        self.value = float(deck["learning_rate"])

    def rate(self, line):
        return self.value


class Schedule:
    """Warm-up from 0 to the peak, then a shape that ends at the horizon."""

    def __init__(self, deck, steps):
        def count(value):
            return round(value * steps) if value < 1 else int(value)

        self.peak, self.end, self.shape = float(deck["peak"]), float(deck["final"]), deck["shape"]
        self.warmup = count(float(deck["warmup"]))
        self.horizon = count(float(deck["horizon"])) or steps

    def rate(self, line):
        t = line.step
        if t >= self.horizon:
            return self.end
        if t < self.warmup:
            return self.peak * t / self.warmup
        if self.shape == "constant":
            return self.peak
        span = self.horizon - self.warmup
        if self.shape == "linear":
            return float(optax.linear_schedule(self.peak, self.end, span)(jnp.float64(t - self.warmup)))
        cosine = 0.5 * (1 + math.cos(math.pi * (t - self.warmup) / span))
        alpha = self.end / self.peak
        return self.peak * ((1 - alpha) * cosine + alpha)


class Linesearch:
    def __init__(self, deck, steps):
        self.c, self.delta = float(deck["c"]), float(deck["relative_decrease"])
        self.increase, self.decrease = float(deck["increase"]) or math.inf, float(deck["decrease"])
        self.limit = 0 if deck["trials"] == "auto" else int(deck["trials"])
        self.previous = None

    def rate(self, line):
        if line.slope >= 0:
            return 0.0
        eta = 1.0 if self.previous is None else min(self.increase * self.previous, 1.0)
        tried = 0
        while True:
            bound = (1 + self.delta) * line.loss + self.c * eta * line.slope
            value = line.loss_at(eta)
            line.margins.append((value - bound) / abs(line.loss))
            tried += 1
            if value <= bound or tried == self.limit:
                break
            eta *= self.decrease
        self.previous = eta
        return eta


class Cdat:
    def __init__(self, deck, steps):
        self.sigma, self.epsilon, self.beta = float(deck["sigma"]), float(deck["epsilon"]), float(deck["ema"])
        self.kind, self.every, self.probe = deck["curvature"], int(deck["every"]), float(deck["probe"])
        self.held = None
        self.numerator = self.denominator = 0.0

    def estimate(self, line):
        if self.kind == "hessian":
            return line.curvature
        if self.kind == "gauss_newton":
            return line.gauss_newton
        mu = self.probe / line.update_norm
        line.parabolic = 2 * (line.loss_at(mu) - line.loss - mu * line.slope) / mu**2
        return line.parabolic

    def rate(self, line):
        if line.step % self.every == 0 or self.held is None:
            self.held = abs(self.estimate(line))
        self.numerator = (1 - self.beta) * max(-line.slope, 0.0) + self.beta * self.numerator
        self.denominator = (1 - self.beta) * (self.held + self.epsilon) + self.beta * self.denominator
        if self.numerator == 0 or self.denominator == 0:
            return 0.0
        return self.sigma * self.numerator / self.denominator


class Polyak:
    def __init__(self, deck, steps):
        self.maximum, self.minimum_loss = float(deck["maximum"]), float(deck["minimum_loss"])

    def rate(self, line):
        gap = line.loss - self.minimum_loss
        return max(0.0, min(gap / line.gradient_norm**2, self.maximum))


class Hypergradient:
    def __init__(self, deck, steps):
        self.value, self.beta = float(deck["initial"]), float(deck["beta"])

    def rate(self, line):
        norms = line.gradient_norm * line.previous_update_norm
        if line.has_previous and norms > 0:
            self.value *= 1 - self.beta * line.previous_slope / norms
        return self.value


class Sharpness:
    """The largest eigenvalue by SciPy's ARPACK on JAX's Hessian-vector products."""

    def __init__(self, deck, steps):
        self.sigma, self.value = float(deck["sigma"]), float(deck["initial"])
        self.preconditioned = deck["operator"] == "preconditioned_hessian"

    def rate(self, line):
        scale = 1 / np.sqrt(line.preconditioner()) if self.preconditioned else np.ones(line.w.shape)
        shape = (line.w.size, line.w.size)
        matrix = scipy.sparse.linalg.LinearOperator(
            shape, lambda v: scale * np.asarray(line.objective.hessian_vector(line.w, scale * v.ravel())), dtype=float)
        largest = scipy.sparse.linalg.eigsh(matrix, k=1, which="LA", tol=1e-13, return_eigenvectors=False)[0]
        if largest > 0:
            self.value = self.sigma / largest
        return self.value


TUNERS = {
    "constant": Constant,
    "schedule": Schedule,
    "linesearch": Linesearch,
    "cdat": Cdat,
    "polyak": Polyak,
    "hypergradient": Hypergradient,
    "sharpness": Sharpness,
}


class Trainer:
    """One optimizer and one tuner with their states; each call of `line_at` and `rate` is one step."""

    def __init__(self, objective, deck_optimizer, deck_tuner, steps, parameters):
        self.objective = objective
        self.deck_optimizer = deck_optimizer
        self.optimizer = make_optimizer(deck_optimizer)
        self.state = self.optimizer.init(jnp.zeros(parameters))
        self.tuner = TUNERS[deck_tuner["kind"]](deck_tuner, steps)
        self.previous_update = None
        self.step = 0
        self.gradient = None
        self.gradients = []

    def line_at(self, w):
        loss, self.gradient = self.objective.loss_and_gradient(w)
        self.gradients.append(np.asarray(self.gradient))
        u, self.state = self.optimizer.update(self.gradient, self.state)
        line = Line(self.objective, w, loss, self.gradient, u, self.step, self.previous_update)
        line.preconditioner = lambda: preconditioner(self.deck_optimizer, self.gradients)
        self.previous_update = u
        self.step += 1
        return line

    def rate(self, line):
        return float(self.tuner.rate(line))


def preconditioner(deck, gradients):
    """Diagonal of P after the last of these gradients, from the definition."""
    v = np.zeros_like(gradients[0])
    if deck["kind"] == "rmsprop":
        for g in gradients:
            v = deck["decay"] * v + (1 - deck["decay"]) * g**2
        return np.sqrt(v + deck["eps"])
    if deck["kind"] == "adam":
        for g in gradients:
            v = deck["beta2"] * v + (1 - deck["beta2"]) * g**2
        return np.sqrt(v / (1 - deck["beta2"] ** len(gradients)) + deck["eps_root"]) + deck["eps"]
    return np.ones_like(v)
