"""Names for runs that are shown together, from what differs between their decks."""
from __future__ import annotations

SYMBOLS = {"learning_rate": "η", "sigma": "σ", "beta": "β", "ema": "EMA ", "maximum": "η max", "peak": "peak η",
           "weight_decay": "weight decay", "batch.size": "batch", "hidden": "hidden"}
# What a reader wants to know of a tuner, even when it is the same in all runs.
MAIN_KEY = {"constant": "learning_rate", "cdat": "sigma", "schedule": "peak", "polyak": "maximum",
            "hypergradient": "beta", "sharpness": "sigma", "linesearch": "c"}
# Keys that say where and how long a run went, not what it is.
SILENT = ("run.name", "run.walltime", "run.profile", "run.micro_batch", "output.", "measure.", "sweep")


def labels(runs) -> list:
    """One label per run: tuner with its main parameter, then every other key that differs, then how it ended."""
    decks = [flat(run.deck) for run in runs]
    texts = [_label(deck, decks) or run.name for run, deck in zip(runs, decks)]
    unique = [text if texts.count(text) == 1 or text == run.name else f"{text} [{run.name}]"
              for text, run in zip(texts, runs)]
    return [text + _ending(run) for text, run in zip(unique, runs)]


def common_title(runs) -> str:
    """What all runs share: model, data, optimizer."""
    decks = [flat(run.deck) for run in runs]

    def shared(key, pattern="{}"):
        values = {number_text(deck.get(key)) for deck in decks if deck.get(key) is not None}
        return pattern.format(values.pop()) if len(values) == 1 and all(key in deck for deck in decks) else None

    model = [shared("model.kind"), shared("model.hidden")]
    parts = [" ".join(part for part in model if part), shared("data.set"), shared("data.samples", "{} samples"),
             shared("optimizer.kind")]
    return ", ".join(part for part in parts if part)


def flat(deck, prefix="") -> dict:
    """{"tuner.sigma": 2.0, …}"""
    found = {}
    for key, value in (deck or {}).items():
        if isinstance(value, dict):
            found.update(flat(value, f"{prefix}{key}."))
        else:
            found[f"{prefix}{key}"] = value
    return found


def _label(deck: dict, decks: list) -> str:
    parts = []
    tuner = deck.get("tuner.kind")
    if tuner:
        parts.append(_tuner(deck, tuner))
    main = f"tuner.{MAIN_KEY.get(tuner)}"
    for key in sorted(deck, key=lambda key: (not key.startswith("tuner."), key)):
        if key in ("tuner.kind", main) or key.startswith(SILENT):
            continue
        if key.endswith(".kind"):
            if differs(key, decks):
                parts.append(str(deck[key]))
        elif differs(key, _relatives(key, deck, decks)):
            parts.append(f"{name_of(key)}={number_text(deck[key])}".replace(" =", "="))
    return ", ".join(parts)


def _tuner(deck: dict, kind: str) -> str:
    value = deck.get(f"tuner.{MAIN_KEY.get(kind)}")
    name = f"{deck.get('tuner.shape', '')} {kind}".strip()
    return name if value is None else f"{name} {name_of(MAIN_KEY[kind])}={number_text(value)}"


def _relatives(key: str, deck: dict, decks: list) -> list:
    """The decks whose section is of the same kind: only there does the key mean the same."""
    kind = f"{key.split('.')[0]}.kind"
    return [other for other in decks if other.get(kind) == deck.get(kind)]


def differing_keys(decks: list) -> list:
    """Of flat decks, the keys that say what tells their runs apart: those whose value differs where they mean the same, and
    the main key of each tuner where tuners differ."""
    keys = dict.fromkeys(key for deck in decks for key in deck if not key.startswith(SILENT))
    main = {f"tuner.{MAIN_KEY.get(deck.get('tuner.kind'))}" for deck in decks} if differs("tuner.kind", decks) else ()
    return [key for key in keys if key in main or
            (differs(key, decks) if key.endswith(".kind") else
             any(key in deck and differs(key, _relatives(key, deck, decks)) for deck in decks))]


def differs(key: str, decks: list) -> bool:
    return len({repr(deck.get(key)) for deck in decks}) > 1


def name_of(key: str) -> str:
    for symbol in (key.split(".", 1)[-1], key.rsplit(".", 1)[-1]):
        if symbol in SYMBOLS:
            return SYMBOLS[symbol]
    return key.rsplit(".", 1)[-1].replace("_", " ")


def number_text(value) -> str:
    if isinstance(value, list):
        return "-".join(number_text(item) for item in value)
    if isinstance(value, float):
        text = f"{value:.6g}"
        return text if any(mark in text for mark in ".en") else text + ".0"
    return str(value)


def _ending(run) -> str:
    return "" if getattr(run, "status", "finished") in ("finished", "running") else f" ({run.status})"
