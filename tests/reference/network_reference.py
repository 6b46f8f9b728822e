"""Writes what the test unit.model.reference compares with: the networks of reference_networks.py in JAX.

  network_reference.py small networks.h5           small versions of all networks
  network_reference.py full FILE --only NAME       a network at the paper's size
  network_reference.py names                       the networks at the paper's size

One group per network: the attributes `model` (section of the deck), `classes` and `vocabulary`; 8 samples x and y;
parameters, all of them random (heads and LayerNorm scales that are 0, as networks start, would hide most of the
network), and a random direction u, both representable in single precision; loss, gradient, slope gᵀu, curvature uᵀHu and
Hu in double precision, and in attributes `single_*` how far JAX itself is off in single precision: relative to ‖g‖ and
‖Hu‖ for vectors, to |loss|, ‖g‖‖u‖ and ‖u‖‖Hu‖ for scalars. Vectors are flat, tensor after tensor in the order of the
attribute `tensors`, which has a line with name and shape for each.
"""

import argparse
import sys

import h5py
import jax.numpy as jnp
import numpy as np

import reference_model as model
import reference_networks as networks
from reference_values import flow

SAMPLES = 8
IMAGES, TEXT = ((9, 8, 2), 3), ((5,), 4)
SMALL = {
    "linear": ({"kind": "linear"}, *IMAGES),
    "resnet34": ({"kind": "resnet34", "blocks": [1, 2], "filters": 3}, *IMAGES),
    "resnet34_textbook": ({"kind": "resnet34", "blocks": [2, 1], "filters": 3, "projection": "textbook"}, *IMAGES),
    "resnet50": ({"kind": "resnet50", "blocks": [1, 1], "filters": 3}, *IMAGES),
    "mixer": ({"kind": "mixer_ti8", "patch": 3, "width": 6, "depth": 2, "token_width": 5, "channel_width": 7}, *IMAGES),
    "vit": ({"kind": "vit_ti32", "patch": 4, "width": 6, "depth": 2, "heads": 2, "mlp_width": 7}, *IMAGES),
    "vit_gap": (
        {"kind": "vit_ti32", "patch": 4, "width": 6, "depth": 1, "heads": 3, "mlp_width": 7, "classifier": "gap",
         "representation": 4},
        *IMAGES,
    ),
    "nanolm": (
        {"kind": "nanolm", "width": 6, "depth": 2, "heads": 2, "attention_width": 4, "mlp_width": 7}, *TEXT,
    ),
}
FULL = {
    "resnet34": ({"kind": "resnet34"}, (32, 32, 3), 10),
    "resnet50": ({"kind": "resnet50"}, (32, 32, 3), 10),
    "mixer_ti8": ({"kind": "mixer_ti8"}, (32, 32, 3), 10),
    "vit_ti32": ({"kind": "vit_ti32"}, (224, 224, 3), 10),
    "nanolm": ({"kind": "nanolm"}, (64,), 65),
}


def single(values):
    return np.asarray(values, np.float32).astype(np.float64)


def samples(section, sample, classes, random):
    if section["kind"] == "nanolm":
        return random.integers(classes, size=(SAMPLES, *sample)), random.integers(classes, size=(SAMPLES, *sample))
    return random.integers(256, size=(SAMPLES, *sample)) / 256.0, random.integers(classes, size=SAMPLES)


def tensor(name, shape, random):
    """Kernels and embeddings that keep the size of what passes through; scales around 1, everything else around 0."""
    values = random.standard_normal(shape)
    if name.endswith("/kernel"):
        fan_in = shape[0] * shape[1] if name.endswith("out/kernel") else np.prod(shape[:-1])
        fan_in = shape[0] if name.endswith(("query/kernel", "key/kernel", "value/kernel")) else fan_in
        return single(values / np.sqrt(fan_in))
    if name.endswith("/scale"):
        return single(1 + 0.3 * values)
    return single((1 / np.sqrt(shape[-1]) if name.endswith("/embedding") else 0.1) * values)


def line(objective, w, u):
    loss, gradient = objective.loss_and_gradient(w)
    product = objective.hessian_vector(w, u)
    slope, curvature, _ = objective.line(w, u)
    return {"loss": loss, "gradient": gradient, "slope": slope, "curvature": curvature, "hessian_vector": product}


def errors(exact, rounded, u):
    """Of a line in single precision."""
    gradient, product, direction = (float(jnp.linalg.norm(v)) for v in (exact["gradient"], exact["hessian_vector"], u))
    scales = {"loss": abs(float(exact["loss"])), "gradient": gradient, "slope": gradient * direction,
              "curvature": direction * product, "hessian_vector": product}
    return {
        name: float(jnp.linalg.norm(jnp.asarray(rounded[name], jnp.float64) - exact[name])) / scale
        for name, scale in scales.items()
    }


def write_network(group, section, sample, classes):
    random = np.random.default_rng(20240706)
    shapes = networks.shapes(section, sample, classes)
    x, y = samples(section, sample, classes, random)
    tensors = {name: tensor(name, shape, random) for name, shape in shapes.items()}
    directions = {name: single(random.standard_normal(shape)) for name, shape in shapes.items()}
    objective = model.Objective(shapes, x, y, section, "cross_entropy", 0.0)
    u = objective.flatten(directions)
    exact = line(objective, objective.flatten(tensors), u)
    assert abs(float(jnp.vdot(u, exact["hessian_vector"])) / float(exact["curvature"]) - 1) < 1e-9
    rounding = model.Objective(shapes, x, y, section, "cross_entropy", 0.0, jnp.float32)
    rounded = line(rounding, rounding.flatten(tensors), rounding.flatten(directions))
    group.attrs["model"] = flow(section)
    group.attrs["classes"], group.attrs["vocabulary"] = classes, classes if section["kind"] == "nanolm" else 0
    for name, error in errors(exact, rounded, u).items():
        group.attrs[f"single_{name}"] = error
    group["x"], group["y"] = x, y.astype(np.int32)
    for name in ("loss", "slope", "curvature"):
        group.attrs[name] = float(exact[name])
    group.attrs["tensors"] = "\n".join(f"{name} {list(shapes[name])}" for name in objective.names)
    group["parameters"] = np.asarray(objective.flatten(tensors), np.float32)
    group["direction"] = np.asarray(u, np.float32)
    group["gradient"], group["hessian_vector"] = np.asarray(exact["gradient"]), np.asarray(exact["hessian_vector"])
    print(f"{group.name}: {u.size} parameters, loss {float(exact['loss']):.6f}, uᵀHu {float(exact['curvature']):.6g}",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=["small", "full", "names"])
    parser.add_argument("file", nargs="?")
    parser.add_argument("--only", help="name of one network")
    arguments = parser.parse_args()
    if arguments.size == "names":
        print(*FULL)
        return 0
    with h5py.File(arguments.file, "w") as file:
        for name, network in (SMALL if arguments.size == "small" else FULL).items():
            if arguments.only in (None, name):
                write_network(file.create_group(name), *network)
    return 0


if __name__ == "__main__":
    sys.exit(main())
