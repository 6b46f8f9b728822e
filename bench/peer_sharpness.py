#!/usr/bin/env python3
"""λ₁ at the checkpoints of a run by JAX: the paper's power iteration and SciPy's eigsh; with what the run itself measured.

    peer_sharpness.py RUN PRECISION

PRECISION: that of the reference, single or double. Prints JSON, one entry per checkpoint:
{program: {"seconds": […], "products": […], "errors": […]}}
"""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "postprocess"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "reference"))
import h5py  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import scipy.sparse.linalg  # noqa: E402

import onedge_post  # noqa: E402
import reference_model as model  # noqa: E402
import tuner_reference  # noqa: E402


def power_iteration(product, size, key):
    """As the paper says it: at most 1000 products, until the estimate changes by less than 1e-3."""
    v = jax.random.normal(key, (size,), jnp.float32)
    v, estimate = v / jnp.linalg.norm(v), 0.0
    for count in range(1, 1001):
        w = product(v)
        previous, estimate = estimate, float(jnp.vdot(v, w))
        v = w / jnp.linalg.norm(w)
        if abs(estimate - previous) < 1e-3 * abs(estimate):
            break
    return estimate, count


def lanczos(product, size, tolerance, real=np.float32):
    count = 0

    def apply(v):
        nonlocal count
        count += 1
        return np.asarray(product(jnp.asarray(v.ravel(), real)))

    operator = scipy.sparse.linalg.LinearOperator((size, size), apply, dtype=real)
    return float(scipy.sparse.linalg.eigsh(operator, k=1, which="LA", tol=tolerance, return_eigenvectors=False)[0]), count


def main():
    path, double = pathlib.Path(sys.argv[1]), sys.argv[2] == "double"
    run = onedge_post.load(path)
    own = run.tables["sharpness"]
    x, y = tuner_reference.read_samples(run.deck["data"])
    checkpoints = {int(file.stem.split("-")[1]): file for file in path.glob("checkpoint-*.h5")}
    result = {name: {"seconds": [], "products": [], "errors": []} for name in
              ("OnEdge", "JAX, power iteration at 1e-3", "JAX and SciPy's eigsh at 2e-3")}
    objectives = None
    for row, step in enumerate(own["step"]):
        with h5py.File(checkpoints[int(step)], "r") as file:
            tensors = {}
            file["parameters"].visititems(
                lambda name, item: tensors.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None)
        if objectives is None:
            shapes = {name: value.shape for name, value in tensors.items()}
            decay = run.deck["loss"]["weight_decay"]
            objectives = [model.Objective(shapes, x, y, run.deck["model"], "cross_entropy", decay, real)
                          for real in (jnp.float32, jnp.float64 if double else jnp.float32)]
        weights, exact_weights = (objective.flatten(tensors) for objective in objectives)
        exact, _ = lanczos(lambda v: objectives[1].hessian_vector(exact_weights, v), exact_weights.size,
                           *((1e-10, np.float64) if double else (1e-6, np.float32)))
        product = lambda v: objectives[0].hessian_vector(weights, v)  # noqa: B023: used within this turn
        jax.block_until_ready(product(weights))  # compiled
        ways = {"JAX, power iteration at 1e-3": lambda: power_iteration(product, weights.size, jax.random.key(int(step))),
                "JAX and SciPy's eigsh at 2e-3": lambda: lanczos(product, weights.size, 2e-3)}
        found = {"OnEdge": (own["eigenvalues"][row, 0], int(own["hvps"][row]), float(own["seconds"][row]))}
        for name, way in ways.items():
            begin = time.perf_counter()
            value, count = way()
            found[name] = (value, count, time.perf_counter() - begin)
        for name, (value, count, seconds) in found.items():
            result[name]["seconds"].append(seconds)
            result[name]["products"].append(count)
            result[name]["errors"].append(abs(value / exact - 1))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
