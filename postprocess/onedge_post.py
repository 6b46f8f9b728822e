"""Reads OnEdge's trajectories (trajectory.h5) and what `onedge sharpness` writes (sharpness-*.h5).

    import onedge_post
    run = onedge_post.load("runs/quickstart")         # a run directory or a trajectory file
    run.status                                        # "running", "finished", "diverged", "interrupted" or "failed"
    run.deck["tuner"]["sigma"]                        # the full deck of the run
    run.steps["step"], run.steps["loss"]              # NumPy arrays, one value per step
    run.table("steps")                                # for xarray or pandas, where they are installed
    run.tables["sharpness"]["eigenvalues"][:, 0]      # what was measured at another cadence is a table of its own

    spectrum = onedge_post.load_spectrum("runs/quickstart/sharpness-00000100.h5")
    spectrum.step, spectrum.operators["hessian"]["eigenvalues"]

A running program publishes whole files only, so a trajectory may be read at any time; load() again for newer records.
Needs NumPy and h5py; reads the deck with PyYAML where that is installed.
"""
from __future__ import annotations

import re
import zlib
from pathlib import Path

import h5py
import numpy as np

FORMAT_VERSION = 1
FILE_NAME = "trajectory.h5"


class ReadError(Exception):
    """The file is missing, foreign, damaged, or of a newer format; the message is one line that names it."""


class TrajectoryError(ReadError):
    """Of a trajectory."""


class SpectrumError(ReadError):
    """Of a file that `onedge sharpness` wrote."""


class Run:
    """One trajectory in memory.

    path: of the file; name: of its directory; attrs: root attributes; status; deck_text: YAML; deck: the same as nested
    dictionaries; tables: {table: {column: array}}, each with `step`; steps: the table of every step; segments:
    {column: array}, one row per start of the program; profile: {column: array}, one row per region of the program, of
    runs with run.profile; warnings: list of (step, message); units and descriptions:
    {table: {column: text}}.
    """

    def __init__(self, path: Path, file: h5py.File):
        self.path = path
        self.name = path.resolve().parent.name if path.name == FILE_NAME else path.stem
        self.attrs = {key: _plain(value) for key, value in file.attrs.items()}
        self.status = self.attrs["status"]
        self.deck_text = self.attrs["deck"]
        if not (isinstance(self.status, str) and isinstance(self.deck_text, str)):
            raise TrajectoryError(f"{path}: status and deck must be texts")
        self.deck = parse_deck(self.deck_text)
        groups = {name: group for name, group in file.items() if isinstance(group, h5py.Group)}
        self.tables = {name: _columns(path, group) for name, group in groups.items()}
        self.units = {name: _texts(group, "units") for name, group in groups.items()}
        self.descriptions = {name: _texts(group, "description") for name, group in groups.items()}
        self.segments = self.tables.pop("segments", {})
        self.profile = self.tables.pop("profile", {})
        warnings = self.tables.pop("warnings", {"step": [], "message": []})
        self.warnings = [(int(step), str(text)) for step, text in zip(warnings["step"], warnings["message"])]
        self.steps = self.tables.get("steps", {})

    def table(self, name: str = "steps"):
        """One table with its steps as index: an xarray.Dataset where xarray is installed, else a pandas.DataFrame where
        pandas is (column k of several eigenvalues is then named eigenvalues_k), else the dictionary of NumPy arrays."""
        columns = self.tables[name]
        try:
            import xarray
        except ImportError:
            return _frame(columns)
        variables = {column: (("step", f"{column}_index")[: values.ndim], values, {
            "units": self.units[name][column], "description": self.descriptions[name][column]})
            for column, values in columns.items() if column != "step"}
        return xarray.Dataset(variables, coords={"step": columns["step"]})

    def __repr__(self) -> str:
        return f"<Run {self.path}: {self.status}, {len(self.steps.get('step', []))} steps>"


class Spectrum:
    """What `onedge sharpness` found at one checkpoint, in memory.

    path: of the file; name: of the checkpoint's directory; attrs: root attributes (checkpoint, parameters, edge of the
    optimizer, …); step; deck_text: YAML; deck: the same as nested dictionaries; products, seconds: {operator: spent};
    operators: {operator: {column: array}} with
    - eigenvalues, residuals, converged [count], the most extreme eigenvalue first;
    - from --density, density_nodes and density_weights [probe, node]: the density of the eigenvalues is the mean over
      probes of Σ weight δ(x − node);
    - where they were asked for, unit eigenvectors eigenvector_0, … [parameters].
    negative_hessian: the lowest eigenvalues of H, and the nodes of H as well.
    """

    def __init__(self, path: Path, file: h5py.File, eigenvectors: bool):
        self.path = path
        self.attrs = {key: _plain(value) for key, value in file.attrs.items()}
        self.name = Path(self.attrs["checkpoint"]).parent.name or path.stem
        self.step = self.attrs["step"]
        self.deck_text = self.attrs["deck"]
        self.deck = parse_deck(self.deck_text)
        groups = {name: group for name, group in file.items() if isinstance(group, h5py.Group)}
        self.operators = {
            operator: {name: dataset[()] for name, dataset in group.items()
                       if eigenvectors or not name.startswith("eigenvector_")} for operator, group in groups.items()}
        self.products = {operator: _plain(group.attrs["products"]) for operator, group in groups.items()}
        self.seconds = {operator: _plain(group.attrs["seconds"]) for operator, group in groups.items()}

    def __repr__(self) -> str:
        return f"<Spectrum {self.path}: step {self.step}, {', '.join(self.operators)}>"


def load(path) -> Run:
    """The trajectory in a run directory, or in a file. Raises TrajectoryError."""
    path = Path(path)
    if path.is_dir():
        if not (path / FILE_NAME).is_file():
            raise TrajectoryError(f"{path}: there is no {FILE_NAME} in this folder")
        path = path / FILE_NAME
    return _read(path, "trajectory", TrajectoryError, ("deck", "status"), Run)


def load_spectrum(path, eigenvectors: bool = False) -> Spectrum:
    """A file that `onedge sharpness` wrote; eigenvectors, which may be large, only on demand. Raises SpectrumError."""
    path = Path(path)
    if path.is_dir():
        raise SpectrumError(f"{path}: this is a folder; name a file that `onedge sharpness` wrote")
    return _read(path, "spectrum", SpectrumError, ("checkpoint", "deck", "step", "parameters"),
                 lambda where, file: Spectrum(where, file, eigenvectors))


def _read(path: Path, what: str, failure: type, required: tuple, make):
    """make(path, file) of a file that has these root attributes; raises failure, which names the file."""
    if not path.is_file():
        raise failure(f"{path}: no such file")
    try:
        _check_whole(path)
        with _open(path) as file:
            missing = {"format_version", *required} - set(file.attrs)
            if missing:
                raise failure(f"{path}: not a {what} (it has no attribute {', '.join(sorted(missing))})")
            version = int(file.attrs["format_version"])
            if version > FORMAT_VERSION:
                raise failure(f"{path}: format version {version}; this reader knows up to {FORMAT_VERSION}")
            return make(path, file)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise failure(f"{path}: not readable as a {what} ({reason})") from error


def _frame(columns: dict):
    try:
        import pandas
    except ImportError:
        return columns
    flat = {}
    for column, values in columns.items():
        if values.ndim == 1:
            flat[column] = values
        else:
            flat.update({f"{column}_{index}": values[:, index] for index in range(values.shape[1])})
    return pandas.DataFrame(flat).set_index("step")


def _check_whole(path: Path):
    """Raises ValueError unless every byte is as OnEdge wrote it. Files without its checksum at their end pass."""
    data = path.read_bytes()
    end = len(data) - len(b"onedge-crc32:01234567\n")
    if end >= 0 and data[end:].startswith(b"onedge-crc32:") and data[end:] != b"onedge-crc32:%08x\n" % zlib.crc32(data[:end]):
        raise ValueError("damaged: its checksum does not hold")


def _open(path: Path) -> h5py.File:
    # Published files never change, so they need no lock, which some shared file systems cannot give.
    try:
        return h5py.File(path, "r", locking=False)
    except (TypeError, ValueError):  # an older h5py or HDF5
        return h5py.File(path, "r")


def _plain(value):
    """NumPy scalars and bytes as Python's own."""
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value


def _columns(path: Path, group: h5py.Group) -> dict:
    columns = {}
    for name, dataset in group.items():
        is_text = h5py.check_string_dtype(dataset.dtype) is not None
        columns[name] = dataset.asstr()[()] if is_text else dataset[()]
    if len({len(column) for column in columns.values()}) > 1:
        raise TrajectoryError(f"{path}: the columns of {group.name} differ in length")
    return columns


def _texts(group: h5py.Group, attribute: str) -> dict:
    return {name: _plain(dataset.attrs.get(attribute, "")) for name, dataset in group.items()}


def parse_deck(text: str) -> dict:
    """The deck as nested dictionaries; {} when it is no mapping."""
    try:
        import yaml
    except ImportError:
        return _parse_block(text)
    try:
        deck = yaml.load(text, _plain_loader(yaml))
    except yaml.YAMLError:
        return {}
    return deck if isinstance(deck, dict) else {}


def _plain_loader(yaml):
    """PyYAML's safe loader without aliases: OnEdge writes none, and a few make a small text an endless deck."""
    class Loader(yaml.SafeLoader):
        def compose_node(self, parent, index):
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("an alias")
            return super().compose_node(parent, index)

    return Loader


# What follows reads the YAML that OnEdge writes: mappings by indentation, with flow mappings, flow lists and scalars in
# them. It stands in where PyYAML is not installed.

_TOKEN = re.compile(r"""\s*(?:([{}\[\],])|("(?:[^"\\]|\\.)*")|('(?:[^']|'')*')|(:)(?=[\s,{}\[\]]|$)"""
                    r"""|((?:[^\s{}\[\],:]|:(?=\S))+))""")


def _parse_block(text: str) -> dict:
    root: dict = {}
    open_mappings = [(-1, root)]
    for line in text.splitlines():
        stripped = line.strip()
        key, colon, rest = stripped.partition(":")
        if not colon or stripped.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        while open_mappings[-1][0] >= indent:
            open_mappings.pop()
        rest = re.sub(r"(^|\s)#.*$", "", rest) if "'" not in rest and '"' not in rest else rest
        value = _parse_flow(rest) if rest.strip() else {}
        open_mappings[-1][1][_scalar(key)] = value
        if not rest.strip():
            open_mappings.append((indent, value))
    return root


def _parse_flow(text: str):
    tokens = [next(group for group in match.groups() if group) for match in _TOKEN.finditer(text)]
    return _value(tokens)


def _value(tokens: list):
    token = tokens.pop(0) if tokens else ""
    if token == "[":
        items = []
        while tokens and tokens[0] != "]":
            items.append(_value(tokens))
            _skip(tokens, ",")
        _skip(tokens, "]")
        return items
    if token == "{":
        mapping = {}
        while tokens and tokens[0] != "}":
            key = _scalar(tokens.pop(0))
            _skip(tokens, ":")
            mapping[key] = _value(tokens)
            _skip(tokens, ",")
        _skip(tokens, "}")
        return mapping
    return _scalar(token)


def _skip(tokens: list, token: str) -> None:
    if tokens and tokens[0] == token:
        tokens.pop(0)


def _scalar(text: str):
    if text[:1] == "'":
        return text[1:-1].replace("''", "'")
    if text[:1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    words = {"true": True, "false": False, "null": None, "~": None, "": None}
    if text in words:
        return words[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text
