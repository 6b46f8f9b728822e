"""Where the edge of stability of a run's optimizer is (Cohen et al. 2021 and 2022), from its deck."""
from __future__ import annotations


def preconditioned_edge(deck: dict) -> float | None:
    """η·λ₁(P^-1/2 H P^-1/2) at the edge, where P is the optimizer's preconditioner (1 for gd and momentum); None for an
    optimizer that is not known."""
    optimizer = deck.get("optimizer") or {}
    kind = optimizer.get("kind")
    if kind in ("gd", "rmsprop"):
        return 2.0
    if kind == "momentum" and "momentum" in optimizer:
        coefficient = optimizer["momentum"]
        heavy_ball = 2 * (1 + coefficient)
        return heavy_ball / (1 + 2 * coefficient) if optimizer.get("nesterov") else heavy_ball
    if kind == "adam" and "beta1" in optimizer:
        return 2 * (1 + optimizer["beta1"]) / (1 - optimizer["beta1"])
    return None


def hessian_edge(deck: dict) -> float | None:
    """η·λ₁(H) at the edge; None for rmsprop and adam: H alone does not say where theirs is."""
    return preconditioned_edge(deck) if optimizer_name(deck) in ("gd", "momentum", "nesterov") else None


def optimizer_name(deck: dict) -> str:
    """gd, momentum, nesterov, rmsprop, adam, … """
    optimizer = deck.get("optimizer") or {}
    kind = str(optimizer.get("kind", "?"))
    return "nesterov" if kind == "momentum" and optimizer.get("nesterov") else kind
