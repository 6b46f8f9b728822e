"""Writes values.h5: what the unit tests compare with, so that they need neither JAX nor Python.

A small fixed problem (x, y and /parameters at the root, so that the file also serves as data.path and model.initial),
and in groups
  /cases/<tuner>_<optimizer>   a free run of 50 steps: weights [51, P], the line at each in steps [50, columns], where the
                               attribute `columns` names them (no previous update: 0), and the extra losses in trials
  /optimizers/<optimizer>      gradients, updates and preconditioners of 10 steps
  /objectives/<activation>_<loss>  loss, gradient, slope, curvatures and Hessian-vector product at the initial weights
Attributes hold the sections of the deck as YAML. Flat vectors are tensor after tensor in the order of the attribute
`tensors`, kernels [in, out] row-major.
"""

import h5py
import jax.numpy as jnp
import numpy as np
import yaml

import reference_model as model
import reference_networks as networks

SIZES = (6, 5, 4, 3)
SAMPLES = 48
STEPS = 50
WEIGHT_DECAY = 1e-3

OPTIMIZERS = {
    "gd": {"kind": "gd"},
    "momentum": {"kind": "momentum", "momentum": 0.9, "nesterov": False},
    "nesterov": {"kind": "momentum", "momentum": 0.9, "nesterov": True},
    "rmsprop": {"kind": "rmsprop", "decay": 0.999, "eps": 1e-8},
    "adam": {"kind": "adam", "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "eps_root": 0.0},
}
# A learning rate that suits each optimizer.
RATES = {"gd": 0.5, "momentum": 0.1, "nesterov": 0.1, "rmsprop": 0.002, "adam": 0.02}
SHAPES = {"gd": "cosine", "momentum": "linear", "nesterov": "constant", "rmsprop": "cosine", "adam": "linear"}
# A positive ε keeps runs of this small problem from places where uᵀHu vanishes, and is of the size of typical uᵀHu.
EPSILONS = {"gd": 0.02, "momentum": 0.05, "nesterov": 0.1, "rmsprop": 2000.0, "adam": 2.0}
# (η_max, f*): adaptive updates are of size 1 in each weight, so that the Polyak step needs a bound of that scale.
POLYAK = {"gd": (2.0, 0.1), "momentum": (1.0, 0.1), "nesterov": (1.0, 0.1), "rmsprop": (0.02, 0.2), "adam": (0.1, 0.2)}
SEARCHES = {
    "gd": {"c": 0.5, "increase": 4.0, "decrease": 0.8, "relative_decrease": 0.0},
    "momentum": {"c": 0.5, "increase": 0.0, "decrease": 0.9, "relative_decrease": 0.0},
    "nesterov": {"c": 0.0, "increase": 4.0, "decrease": 0.9, "relative_decrease": 1e-3},
    "rmsprop": {"c": 1e-4, "increase": 0.0, "decrease": 0.8, "relative_decrease": 0.0},
    "adam": {"c": 1e-4, "increase": 4.0, "decrease": 0.8, "relative_decrease": 0.0},
}


def cdat(epsilon, **changes):
    defaults = {"sigma": 2.0, "epsilon": epsilon, "ema": 0.0, "curvature": "hessian", "every": 1, "probe": 0.1}
    return {"kind": "cdat", **defaults, **changes}


def tuners(optimizer):
    """The tuners that go with an optimizer, by name; every pair makes sense."""
    rate = RATES[optimizer]
    epsilon, (maximum, minimum_loss) = EPSILONS[optimizer], POLYAK[optimizer]
    schedule = {"peak": 2 * rate, "shape": SHAPES[optimizer], "warmup": 0.1, "horizon": 40.0, "final": 0.1 * rate}
    return {
        "constant": {"kind": "constant", "learning_rate": rate},
        "schedule": {"kind": "schedule", **schedule},
        "linesearch": {"kind": "linesearch", **SEARCHES[optimizer], "trials": "auto"},
        "cdat": cdat(epsilon),
        "cdat_gauss_newton": cdat(epsilon, curvature="gauss_newton"),
        "cdat_parabolic": cdat(epsilon, curvature="parabolic"),
        "cdat_ema": cdat(epsilon / 100, ema=0.9),
        "cdat_every": cdat(2 * epsilon, every=3, ema=0.5, sigma=1.9375),
        "polyak": {"kind": "polyak", "maximum": maximum, "minimum_loss": minimum_loss},
        "hypergradient": {"kind": "hypergradient", "initial": rate, "beta": 0.1},
    }


def problem():
    random = np.random.default_rng(20240706)
    x = random.standard_normal((SAMPLES, SIZES[0]))
    y = np.argmax(x @ random.standard_normal((SIZES[0], 3)) + 0.5 * random.standard_normal((SAMPLES, 3)), axis=1)
    tensors = {}
    for layer, (fan_in, fan_out) in enumerate(zip(SIZES, SIZES[1:])):
        tensors[f"dense_{layer}/kernel"] = random.standard_normal((fan_in, fan_out)) / np.sqrt(fan_in)
        tensors[f"dense_{layer}/bias"] = 0.1 * random.standard_normal(fan_out)
    return x, y, tensors


def objective_of(x, y, tensors, activation="tanh", loss="cross_entropy"):
    shapes = {name: value.shape for name, value in tensors.items()}
    section = {"kind": "mlp", "hidden": list(SIZES[1:-1]), "activation": activation}
    return model.Objective(shapes, x, y, section, loss, WEIGHT_DECAY)


def flow(section):
    """One line of YAML whose floats carry a dot (1.0e-05), for readers that take 1e-05 for a word."""
    words = []
    for key, value in section.items():
        if isinstance(value, bool):
            text = str(value).lower()
        elif isinstance(value, float):
            text = repr(value)
            if "e" in text and "." not in text:
                text = text.replace("e", ".0e")
        else:
            text = str(value)
        words.append(f"{key}: {text}")
    line = "{" + ", ".join(words) + "}"
    assert yaml.safe_load(line) == section, line
    return line


def free_run(objective, w, optimizer, tuner):
    trainer = model.Trainer(objective, optimizer, tuner, STEPS, w.size)
    weights, lines, rates = [w], [], []
    for _ in range(STEPS):
        line = trainer.line_at(w)
        rate = trainer.rate(line)
        w = w + rate * line.u
        weights.append(w)
        lines.append(line)
        rates.append(rate)
    return np.asarray(jnp.stack(weights)), lines, np.asarray(rates)


def write_case(group, optimizer, tuner, weights, lines, rates):
    group.attrs["optimizer"], group.attrs["tuner"] = flow(optimizer), flow(tuner)
    group.create_dataset("weights", data=weights, chunks=weights.shape, compression="gzip", shuffle=True)
    columns = ("loss", "slope", "curvature", "gauss_newton", "gradient_norm", "update_norm", "previous_slope",
               "previous_update_norm")
    values = [[getattr(line, name) for name in columns] + [rate] for line, rate in zip(lines, rates)]
    group["steps"] = np.asarray(values, np.float64)
    group["steps"].attrs["columns"] = " ".join((*columns, "learning_rate"))
    # The extra losses (η, f(w+ηu)) of step t are rows trial_offsets[t] … trial_offsets[t+1] − 1 of trials.
    group["trial_offsets"] = np.cumsum([0] + [len(line.trials) for line in lines])
    trials = [trial for line in lines for trial in line.trials]
    group["trials"] = np.asarray(trials, np.float64).reshape(-1, 2)
    assert all(np.all(np.isfinite(item[()])) for item in group.values()), group.name
    margins = [abs(margin) for line in lines for margin in line.margins]
    assert min(margins, default=1.0) > 1e-9, f"{group.name}: a linesearch ties"


def write_optimizer(group, deck, objective, w):
    group.attrs["optimizer"] = flow(deck)
    trainer = model.Trainer(objective, deck, {"kind": "constant", "learning_rate": 0.01}, STEPS, w.size)
    gradients, updates, preconditioners = [], [], []
    for _ in range(10):
        line = trainer.line_at(w)
        gradients.append(np.asarray(trainer.gradient))
        updates.append(np.asarray(line.u))
        preconditioners.append(model.preconditioner(deck, gradients))
        w = w + 0.01 * line.u
    group["gradient"], group["update"] = np.stack(gradients), np.stack(updates)
    group["preconditioner"] = np.stack(preconditioners)


def write_objective(group, objective, w, direction):
    loss, gradient = objective.loss_and_gradient(w)
    slope, curvature, gauss_newton = objective.line(w, direction)
    group["loss"], group["gradient"], group["direction"] = float(loss), np.asarray(gradient), np.asarray(direction)
    group["slope"], group["curvature"], group["gauss_newton"] = float(slope), float(curvature), float(gauss_newton)
    group["hessian_vector"] = np.asarray(objective.hessian_vector(w, direction))
    assert abs(float(jnp.vdot(direction, group["hessian_vector"][()])) - float(curvature)) < 1e-12


def write(path):
    x, y, tensors = problem()
    objective = objective_of(x, y, tensors)
    w = objective.flatten(tensors)
    with h5py.File(path, "w", track_order=False) as file:
        file["x"], file["y"] = x, y.astype(np.int32)
        for name, value in tensors.items():
            file[f"parameters/{name}"] = value
        file.attrs["tensors"] = " ".join(objective.names)
        file.attrs["model"] = "{kind: mlp, hidden: [5, 4], activation: tanh}"
        file.attrs["loss"] = flow({"kind": "cross_entropy", "weight_decay": WEIGHT_DECAY})
        file.attrs["steps"] = STEPS
        for optimizer, deck in OPTIMIZERS.items():
            write_optimizer(file.create_group(f"optimizers/{optimizer}"), deck, objective, w)
            for tuner, tuner_deck in tuners(optimizer).items():
                run = free_run(objective, w, deck, tuner_deck)
                write_case(file.create_group(f"cases/{tuner}_{optimizer}"), deck, tuner_deck, *run)
                losses = [line.loss for line in run[1]]
                print(f"{tuner + '_' + optimizer:28s} loss {losses[0]:8.4f} -> {losses[-1]:8.4f}, largest "
                      f"{max(losses):8.4f}; η {run[2].min():.3g} to {run[2].max():.3g}")
        direction = jnp.asarray(np.random.default_rng(7).standard_normal(w.size))
        for activation in networks.ACTIVATIONS:
            for loss in ("cross_entropy", "squared"):
                group = file.create_group(f"objectives/{activation}_{loss}")
                write_objective(group, objective_of(x, y, tensors, activation, loss), w, direction)
    return 0
