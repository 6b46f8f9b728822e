"""postprocess/ on trajectories made here with h5py. Exit code 77: a package is missing."""
import builtins
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path
from unittest import mock

try:
    import h5py
    import matplotlib
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

matplotlib.use("Agg")
SCRIPTS = Path(__file__).resolve().parents[2] / "postprocess"
sys.path.insert(0, str(SCRIPTS))

import edge  # noqa: E402
import labels  # noqa: E402
import onedge_post  # noqa: E402
import plot  # noqa: E402

DECK = """run:
  name: {name}
  seed: 0
  precision: single
data:
  set: fashion-mnist
  samples: 4096
model:
  kind: mlp
  hidden: [256, 256]
optimizer: {optimizer}
tuner: {tuner}
"""
CDAT = "{kind: cdat, sigma: 2.0, ema: 0.0, curvature: hessian}"
CONSTANT = "{kind: constant, learning_rate: 0.01}"
GD = "{kind: gd}"
MOMENTUM = "{kind: momentum, momentum: 0.9, nesterov: false}"
NESTEROV = "{kind: momentum, momentum: 0.9, nesterov: true}"
RMSPROP = "{kind: rmsprop, decay: 0.999, eps: 1.0e-08}"
ADAM = "{kind: adam, beta1: 0.9, beta2: 0.999, eps: 1.0e-08, eps_root: 0.0}"


def curves(steps, seed, rate=None):
    """Columns that look like those of a run; with a rate, one of constant learning rate."""
    random = np.random.default_rng(seed)
    t = np.arange(steps)
    noise = np.exp(0.15 * random.standard_normal(steps))
    curvature = 60 * (1 + t / 40) ** 0.3 * noise
    learning_rate = np.full(steps, rate) if rate else 2.0 / curvature
    return {"loss": 2.3 * (1 + t * (0.03 if rate else 0.05)) ** -0.8, "learning_rate": learning_rate,
            "slope": -np.ones(steps), "curvature": curvature, "update_norm": np.ones(steps),
            "gradient_norm": 1.5 * noise, "seconds": np.full(steps, 0.05)}


def write_table(file, name, step, columns):
    group = file.create_group(name)
    scale = group.create_dataset("step", data=np.asarray(step, dtype=np.int64), maxshape=(None,), chunks=(4096,))
    scale.make_scale("step")
    for column, values in columns.items():
        values = np.asarray(values)
        dataset = group.create_dataset(column, data=values, maxshape=(None,) + values.shape[1:],
                                       chunks=(4096,) + values.shape[1:])
        dataset.dims[0].attach_scale(scale)
        dataset.attrs.update({"description": column, "units": "s" if column == "seconds" else "1"})


def write_run(folder, tuner=CDAT, columns=None, status="finished", sharpness=False, optimizer=GD,
              tables=None, **attributes):
    """tables: {name: {column: values}} measured every 10 steps."""
    folder.mkdir(parents=True)
    columns = curves(60, 1) if columns is None else columns
    with h5py.File(folder / "trajectory.h5", "w") as file:
        file.attrs.update({"format_version": 1, "deck": DECK.format(name=folder.name, tuner=tuner, optimizer=optimizer),
                           "status": status, "precision": "single", "parameters": 23, "samples": 4096,
                           "software_version": "0", "git_revision": "x", "command_line": "onedge train", **attributes})
        steps = len(columns["loss"])
        write_table(file, "steps", np.arange(steps), columns)
        if sharpness:
            every = np.arange(0, steps, 10)
            top = columns["curvature"][every] * 1.02
            write_table(file, "sharpness", every, {"eigenvalues": np.stack([top, top / 2], axis=1),
                                                   "edge": top * columns["learning_rate"][every]})
        for name, values in (tables or {}).items():
            write_table(file, name, np.arange(0, steps, 10), values)
        text = h5py.string_dtype()
        file.create_group("segments").create_dataset("hosts", data=np.array(["node1"], dtype=object), dtype=text)
        warnings = file.create_group("warnings")
        warnings.create_dataset("step", data=np.array([3]))
        warnings.create_dataset("message", data=np.array(["η = 0"], dtype=object), dtype=text)
    return folder


def run_script(name, *arguments):
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class Reader(InFolder):
    def test_directory_and_file_give_everything(self):
        folder = write_run(self.folder / "first", sharpness=True)
        for path in (folder, folder / "trajectory.h5", str(folder)):
            run = onedge_post.load(path)
            self.assertEqual((run.name, run.status, run.attrs["parameters"]), ("first", "finished", 23))
            np.testing.assert_array_equal(run.steps["step"], np.arange(60))
            self.assertEqual(set(run.tables), {"steps", "sharpness"})
            self.assertEqual(run.tables["sharpness"]["eigenvalues"].shape, (6, 2))
            self.assertEqual(run.warnings, [(3, "η = 0")])
            self.assertEqual(run.segments["hosts"][0], "node1")
            self.assertEqual(run.units["steps"]["seconds"], "s")
            self.assertEqual(run.deck["tuner"]["sigma"], 2.0)

    def test_decks_are_the_same_without_pyyaml(self):
        text = DECK.format(name="'it''s: a'", tuner=CDAT, optimizer=ADAM)
        text += "sweep: {tuner.sigma: [1.0, 2.0e-05]}\nflag: true\n"
        with_yaml = onedge_post.parse_deck(text)
        genuine = builtins.__import__

        def without_yaml(name, *rest, **named):
            if name == "yaml":
                raise ImportError(name)
            return genuine(name, *rest, **named)

        with mock.patch("builtins.__import__", without_yaml):
            alone = onedge_post.parse_deck(text)
        self.assertEqual(alone["run"]["name"], "it's: a")
        self.assertEqual(alone["model"], {"kind": "mlp", "hidden": [256, 256]})
        self.assertEqual(alone["sweep"], {"tuner.sigma": [1.0, 2e-5]})
        self.assertEqual(alone, with_yaml)

    def failure(self, path):
        with self.assertRaises(onedge_post.TrajectoryError) as caught:
            onedge_post.load(path)
        message = str(caught.exception)
        self.assertIn(str(path), message)
        self.assertNotIn("\n", message)
        return message

    def test_bad_files_are_named(self):
        self.assertIn("no such file", self.failure(self.folder / "none.h5"))
        self.assertIn("no trajectory.h5", self.failure(self.folder))
        (self.folder / "text.h5").write_text("loss: 3\n")
        self.assertIn("not readable", self.failure(self.folder / "text.h5"))
        with h5py.File(self.folder / "foreign.h5", "w") as file:
            file["x"] = [1.0]
        self.assertIn("not a trajectory", self.failure(self.folder / "foreign.h5"))
        newer = write_run(self.folder / "newer", format_version=2) / "trajectory.h5"
        self.assertIn("format version 2", self.failure(newer))
        short = self.folder / "short.h5"
        short.write_bytes((write_run(self.folder / "whole") / "trajectory.h5").read_bytes()[:3000])
        self.failure(short)

    def test_the_checksum_at_the_end(self):
        path = write_run(self.folder / "run") / "trajectory.h5"
        whole = path.read_bytes()
        loss = onedge_post.load(path).steps["loss"]
        end = b"onedge-crc32:%08x\n" % zlib.crc32(whole)
        path.write_bytes(whole + end)
        np.testing.assert_array_equal(onedge_post.load(path).steps["loss"], loss)
        at = whole.index(loss.tobytes())
        path.write_bytes(whole[:at] + b"\x01" + whole[at + 1:] + end)
        self.assertIn("checksum", self.failure(path))


class Labels(InFolder):
    def of(self, *tuners, **options):
        folders = [write_run(self.folder / f"run{i}", tuner, **options) for i, tuner in enumerate(tuners)]
        return labels.labels([onedge_post.load(folder) for folder in folders])

    def test_tuners_are_told_apart_by_what_matters(self):
        self.assertEqual(self.of(CDAT, CONSTANT), ["cdat σ=2.0", "constant η=0.01"])

    def test_what_differs_is_said(self):
        self.assertEqual(self.of(CDAT, CDAT.replace("ema: 0.0", "ema: 0.9"), CONSTANT),
                         ["cdat σ=2.0, EMA=0.0", "cdat σ=2.0, EMA=0.9", "constant η=0.01"])

    def test_equal_decks_are_told_apart_by_folder(self):
        self.assertEqual(self.of(CDAT, CDAT), ["cdat σ=2.0 [run0]", "cdat σ=2.0 [run1]"])

    def test_divergence_is_said(self):
        self.assertEqual(self.of(CONSTANT, status="diverged"), ["constant η=0.01 (diverged)"])

    def test_title_holds_what_is_common(self):
        runs = [onedge_post.load(write_run(self.folder / name)) for name in "ab"]
        self.assertEqual(labels.common_title(runs), "mlp 256-256, fashion-mnist, 4096 samples, gd")


class Edge(unittest.TestCase):
    def test_each_optimizer_has_its_own(self):
        for optimizer, preconditioned, hessian in (
                (GD, 2, 2), (MOMENTUM, 3.8, 3.8), (NESTEROV, 3.8 / 2.8, 3.8 / 2.8), (RMSPROP, 2, None),
                (ADAM, 38, None), ("{kind: other}", None, None)):
            deck = onedge_post.parse_deck(f"optimizer: {optimizer}\n")
            self.assertAlmostEqual(edge.preconditioned_edge(deck), preconditioned, msg=optimizer)
            self.assertAlmostEqual(edge.hessian_edge(deck), hessian, msg=optimizer)
        self.assertIsNone(edge.preconditioned_edge({}))


def oscillation_amplitude(edge_value, step, factor):
    """|w| after many steps of `step` (w, state, η·λ) → (w, state) at factor times the edge."""
    w, state = 1.0, 0.0
    for _ in range(4000):
        w, state = step(w, state, factor * edge_value)
    return abs(w)


class EdgeOnQuadratic(unittest.TestCase):
    """On ½λw² each optimizer converges just below its edge and diverges just above it."""

    def check(self, optimizer, step):
        value = edge.preconditioned_edge(onedge_post.parse_deck(f"optimizer: {optimizer}\n"))
        self.assertLess(oscillation_amplitude(value, step, 0.99), 1e-3)
        self.assertGreater(oscillation_amplitude(value, step, 1.01), 1e3)

    def test_lines_are_where_stability_ends(self):
        def momentum(w, m, product):
            m = w + 0.9 * m
            return w - product * m, m

        def nesterov(w, m, product):
            m = w + 0.9 * m
            return w - product * (w + 0.9 * m), m

        def adam(w, m, product):  # with a fixed P
            m = 0.9 * m + 0.1 * w
            return w - product * m, m

        self.check(GD, lambda w, m, product: (w - product * w, m))
        self.check(MOMENTUM, momentum)
        self.check(NESTEROV, nesterov)
        self.check(ADAM, adam)


class Plot(InFolder):
    def panels(self, *folders):
        runs = [onedge_post.load(folder) for folder in folders]
        figure = plot.draw(runs, plot.parse([*map(str, folders), "-o", "x.png"]))
        self.addCleanup(plot.plt.close, figure)
        return {axes.get_title(): axes for axes in figure.axes if axes.get_visible()}

    def test_only_what_was_measured_has_a_panel(self):
        few = {key: value for key, value in curves(20, 1).items() if key in ("loss", "learning_rate")}
        self.assertEqual(set(self.panels(write_run(self.folder / "few", columns=few))), {"Loss", "Learning rate"})
        panels = self.panels(self.folder / "few", write_run(self.folder / "all", sharpness=True))
        self.assertEqual(len(panels), 7)
        self.assertEqual(len(panels["Loss"].lines), 2)
        self.assertEqual(len(panels["Gradient norm"].lines), 1)

    def test_edge_along_the_update_is_sigma_for_cdat(self):
        panels = self.panels(write_run(self.folder / "cdat"))
        line = panels["Edge along the update"].lines[0]
        np.testing.assert_allclose(line.get_ydata(), 2.0)

    def test_curvature_at_another_cadence_is_found(self):
        columns = curves(20, 1)
        slope, curvature = columns.pop("slope"), columns.pop("curvature")
        folder = write_run(self.folder / "sparse", columns=columns)
        with h5py.File(folder / "trajectory.h5", "a") as file:
            write_table(file, "curvature", np.arange(0, 20, 5), {"slope": slope[::5], "curvature": curvature[::5]})
        line = self.panels(folder)["Curvature along the update"].lines[0]
        np.testing.assert_array_equal(line.get_xdata(), [0, 5, 10, 15])
        np.testing.assert_allclose(line.get_ydata(), curvature[::5])

    def edge_lines(self, axes):
        """{height: text} of the horizontal edge lines."""
        heights = [line.get_ydata()[0] for line in axes.lines if line.get_color() == plot.GREY]
        texts = [text.get_text() for text in axes.texts]
        self.assertEqual(len(heights), len(texts))
        return dict(zip(np.round(heights, 6), texts))

    def with_eigenvalues(self, name, optimizer, rate=0.01, columns=None):
        values = np.array([[20.0, 10], [40, np.nan], [80, 30], [120, 40], [150, 50], [150, 60]])
        found = {"eigenvalues": values, "edge": rate * values[:, 0], "converged": np.ones((6, 2), dtype=int)}
        found = {**found, **(columns or {})}
        return write_run(self.folder / name, CONSTANT.replace("0.01", str(rate)), curves(60, 1, rate),
                         optimizer=optimizer, tables={"sharpness": found, "preconditioned_sharpness": found})

    def test_edge_is_that_of_the_optimizer(self):
        titles = ("Learning rate × sharpness", "Learning rate × preconditioned sharpness")
        for name, optimizer, hessian, preconditioned in (
                ("gd", GD, {2: "edge of stability: 2"}, {2: "edge of stability: 2"}),
                ("heavy", MOMENTUM, {3.8: "edge of stability: 3.8"}, {3.8: "edge of stability: 3.8"}),
                ("adam", ADAM, {}, {38: "edge of stability: 38"})):
            panels = self.panels(self.with_eigenvalues(name, optimizer))
            self.assertEqual([self.edge_lines(panels[title]) for title in titles], [hessian, preconditioned], name)
            for title, expected in zip(titles, (hessian, preconditioned)):
                self.assertTrue(all(panels[title].get_ylim()[1] > height for height in expected))

    def test_different_edges_are_told_apart(self):
        runs = [self.with_eigenvalues(name, optimizer)
                for name, optimizer in (("a", GD), ("b", ADAM), ("c", RMSPROP), ("d", NESTEROV))]
        panels = self.panels(*runs)
        self.assertEqual(self.edge_lines(panels["Learning rate × sharpness"]),
                         {2: "edge of stability: 2 (gd)", 1.357143: "edge of stability: 1.357 (nesterov)"})
        axes = panels["Learning rate × preconditioned sharpness"]
        self.assertEqual(self.edge_lines(axes),
                         {2: "edge of stability: 2 (gd, rmsprop)", 38: "edge of stability: 38 (adam)",
                          1.357143: "edge of stability: 1.357 (nesterov)"})
        self.assertEqual(axes.get_yscale(), "log")

    def limit(self, axes):
        """The line edge/η, or None."""
        found = [line for line in axes.lines if line.get_alpha() == plot.LIMIT_LINE["alpha"]]
        return (found[0].get_xdata(), found[0].get_ydata()) if found else None

    def test_sharpness_at_which_the_learning_rate_is_on_the_edge(self):
        panels = self.panels(self.with_eigenvalues("gd", GD))
        for title in ("Sharpness", "Preconditioned sharpness"):
            steps, values = self.limit(panels[title])
            np.testing.assert_array_equal(steps, np.arange(0, 60, 10))
            np.testing.assert_allclose(values, 200)
        panels = self.panels(self.with_eigenvalues("adam", ADAM, 0.1))
        self.assertIsNone(self.limit(panels["Sharpness"]))
        np.testing.assert_allclose(self.limit(panels["Preconditioned sharpness"])[1], 380)
        panels = self.panels(self.with_eigenvalues("slow", GD, 1e-5))  # 2e5 would squeeze the curve
        self.assertIsNone(self.limit(panels["Sharpness"]))

    def test_learning_rate_zero_leaves_a_gap_in_that_line(self):
        run = self.with_eigenvalues("warm", GD)
        with h5py.File(run / "trajectory.h5", "a") as file:
            file["steps/learning_rate"][:] = np.arange(60) / 1000
        values = self.limit(self.panels(run)["Sharpness"])[1]
        np.testing.assert_allclose(values, [np.nan, 200, 100, 200 / 3, 50, 40])

    def test_further_eigenvalues_and_what_did_not_converge(self):
        converged = np.array([[1, 0], [0, 0], [1, 1], [1, 1], [1, 0], [1, 1]])
        run = self.with_eigenvalues("run", GD, columns={"converged": converged})
        axes = self.panels(run)["Learning rate × sharpness"]
        first, further = axes.lines[:2]
        np.testing.assert_allclose(first.get_ydata(), [0.2, 0.4, 0.8, 1.2, 1.5, 1.5])
        np.testing.assert_allclose(further.get_ydata(), [0.1, np.nan, 0.3, 0.4, 0.5, 0.6])
        self.assertEqual((further.get_color(), further.get_alpha()), (first.get_color(), plot.PALE_LINE["alpha"]))
        opened = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
        self.assertEqual([(list(line.get_xdata()), list(line.get_ydata())) for line in opened],
                         [([10], [0.4]), ([0, 40], [0.1, 0.5])])

    def test_gauss_newton_and_lowest_curvature_have_panels(self):
        columns = {"eigenvalues": np.linspace(1, 2, 6)[:, None]}
        run = write_run(self.folder / "run", tables={
            "gauss_newton_sharpness": columns, "lowest_curvature": {"eigenvalues": -columns["eigenvalues"]}})
        panels = self.panels(run)
        np.testing.assert_allclose(panels["Gauss-Newton sharpness"].lines[0].get_ydata(), np.linspace(1, 2, 6))
        np.testing.assert_allclose(panels["Lowest curvature"].lines[0].get_ydata(), -np.linspace(1, 2, 6))
        for title in ("Gauss-Newton sharpness", "Lowest curvature"):
            self.assertEqual(self.edge_lines(panels[title]), {})

    def test_command_draws_png_and_pdf(self):
        diverged = curves(60, 2, rate=0.1)
        diverged["loss"][40:] = np.append(10.0 ** np.arange(19), np.inf)
        runs = [write_run(self.folder / "cdat", sharpness=True),
                write_run(self.folder / "diverged", CONSTANT, diverged, status="diverged")]
        for name, options, magic in (("a.png", [], b"\x89PNG"), ("b.pdf", ["--linear", "--title", "T"], b"%PDF"),
                                     ("c.png", ["--log", "--x", "seconds"], b"\x89PNG")):
            result = run_script("plot.py", *runs, "-o", self.folder / name, *options)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual((self.folder / name).read_bytes()[:4], magic)

    def test_bad_input_is_one_line_and_exit_code_2(self):
        run = write_run(self.folder / "run")
        empty = write_run(self.folder / "empty", columns={key: value[:0] for key, value in curves(1, 1).items()})
        timeless = write_run(self.folder / "timeless", columns={"loss": np.ones(3)})
        for arguments in ([self.folder / "none", "-o", self.folder / "a.png"], [run, "-o", self.folder / "a.docx"],
                          [run, "-o", self.folder / "none" / "a.png"], [empty, "-o", self.folder / "a.png"],
                          [timeless, "--x", "seconds", "-o", self.folder / "a.png"]):
            result = run_script("plot.py", *arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertRegex(result.stderr, r"\Aplot\.py: [^\n]+\n\Z")
        self.assertFalse((self.folder / "a.png").exists())
        self.assertEqual(run_script("plot.py", "--help").returncode, 0)


if __name__ == "__main__":
    unittest.main()
