"""figure.py, table.py, report.py, watch.py and the collection of sweeps, on trajectories made here. Exit code 77: a package
is missing."""
import csv
import re
import sys
import unittest
from pathlib import Path

from test_postprocess import ADAM, GD, InFolder, curves, run_script, write_table

import h5py
import numpy as np

import figure
import onedge_post
import sweep
import table
import watch

DECK = """run: {{name: fig, seed: {seed}, steps: {steps}}}
batch: {{size: {batch}}}
data: {{set: cifar10, samples: {samples}}}
model: {{kind: {model}{hidden}}}
loss: {{kind: cross_entropy, weight_decay: {decay}}}
optimizer: {optimizer}
tuner: {tuner}
"""
TUNERS = ["{kind: constant, learning_rate: 0.001}", "{kind: constant, learning_rate: 0.002}",
          "{kind: constant, learning_rate: 0.004}", "{kind: linesearch, c: 0.0001}", "{kind: cdat, sigma: 1.0, ema: 0.0}",
          "{kind: cdat, sigma: 2.0, ema: 0.0}"]


def write_case(sweep_folder, index, tuner, loss=1.0, steps=40, status="finished", cases=0, optimizer=GD, seed=0, batch="full",
               samples=512, model="mlp", hidden=", hidden: [32, 32]", decay="0.0", gain=False):
    """A run that ends at this loss."""
    folder = Path(sweep_folder) / f"case-{index:04d}"
    folder.mkdir(parents=True)
    columns = curves(steps, index)
    columns["loss"] = columns["data_loss"] = loss * np.linspace(2, 1, steps) ** 4 * np.ones(steps)
    columns["update_cosine"] = np.zeros(steps)
    tables = {"sharpness": {"eigenvalues": np.full((4, 1), 50.0), "edge": np.full(4, 1.9), "alignment": np.full(4, 0.5)},
              "evaluation": {"test_accuracy": np.linspace(0.1, 0.8, 4), "train_accuracy": np.ones(4)}}
    tables["preconditioned_sharpness"] = tables["sharpness"]
    if gain:
        tables["gain"] = {"greedy": np.linspace(1, 0.5, 4), "on_edge": np.linspace(1, 0.5, 4) + 0.1}
    deck = DECK.format(seed=seed, steps=steps, batch=batch, samples=samples, model=model, hidden=hidden, decay=decay,
                       optimizer=optimizer, tuner=tuner)
    with h5py.File(folder / "trajectory.h5", "w") as file:
        file.attrs.update({"format_version": 1, "deck": deck, "status": status, "precision": "single", "parameters": 23,
                           "samples": samples, "software_version": "0.1.0"})
        if cases:
            file.attrs.update({"case": index, "cases": cases})
        write_table(file, "steps", np.arange(steps), columns)
        for name, values in tables.items():
            write_table(file, name, np.arange(4) * 10, values)
        segments = file.create_group("segments")
        for name, value in (("hosts", "node<1>"), ("backend", "Serial"), ("revision", "abc"), ("time", "2024-01-01T00:00:00"),
                            ("job_id", "7")):
            segments[name] = np.array([value], dtype=h5py.string_dtype())
        segments["ranks"] = [2]
        segments["first_step"] = [0]
    return folder


def write_sweep(folder, losses=(0.5, 0.2, 0.4, 0.3, 0.6, 0.1), **options):
    for index, (tuner, loss) in enumerate(zip(TUNERS, losses)):
        write_case(folder, index, tuner, loss, **options)
    return folder


def write_toy(folder, rule):
    folder.mkdir(parents=True)
    deck = (f"run: {{name: toy, steps: 20}}\ndynamics: {{kind: a, rule: {rule}, a: 0.1, b: 0.2"
            + {"constant": "", "fixed": ", offset: -0.1", "cdat": ", sigma: 2.0"}[rule] + "}\n")
    with h5py.File(folder / "trajectory.h5", "w") as file:
        file.attrs.update({"format_version": 1, "deck": deck, "status": "finished"})
        write_table(file, "steps", np.arange(20), {name: np.linspace(1, 2, 20) for name in
                                                   ("learning_rate", "sharpness", "y", "p", "g")})


class Collection(InFolder):
    def test_best_is_the_smallest_mean_over_the_last_iterates(self):
        run = onedge_post.load(write_case(self.folder, 0, TUNERS[0]))
        self.assertAlmostEqual(sweep.score(run), run.steps["loss"][-5:].mean())
        write_sweep(self.folder / "s")
        found = {family.name: family for family in sweep.families(sweep.collect([self.folder / "s"]).runs)}
        self.assertEqual(set(found), {"constant", "linesearch", "cdat"})
        self.assertEqual(found["constant"].best.deck["tuner"]["learning_rate"], 0.002)
        self.assertEqual(found["constant"].borders, [])
        self.assertEqual(found["cdat"].best.deck["tuner"]["sigma"], 2.0)

    def test_a_best_at_the_border_is_said(self):
        for losses, end in (((0.1, 0.2, 0.3), "lower"), ((0.3, 0.2, 0.1), "upper")):
            folder = write_sweep(self.folder / end, losses)
            text = "\n".join(sweep.summary(sweep.collect([folder])))
            self.assertIn(f"η at the {end} end of its grid", text)

    def test_what_diverged_is_never_the_best(self):
        write_case(self.folder / "s", 0, TUNERS[0], 0.001, status="diverged")
        write_case(self.folder / "s", 1, TUNERS[1], 0.5)
        write_case(self.folder / "s", 2, TUNERS[2], 0.0001, status="running")
        collected = sweep.collect([self.folder / "s"])
        self.assertEqual(sweep.families(collected.runs)[0].best.deck["tuner"]["learning_rate"], 0.002)
        text = "\n".join(sweep.summary(collected))
        self.assertIn("1 diverged", text)
        self.assertIn("1 not finished", text)

    def test_missing_cases_are_named(self):
        write_case(self.folder / "s", 0, TUNERS[0], cases=5)
        write_case(self.folder / "s", 3, TUNERS[1], cases=5)
        (self.folder / "s" / "case-0001").mkdir()
        collected = sweep.collect([self.folder / "s"])
        self.assertEqual([case.path.name for case in collected.missing], ["case-0001", "case-0002", "case-0004"])
        self.assertIn("case-0004", "\n".join(sweep.summary(collected)))

    def test_folders_of_sweeps_and_nothing_at_all(self):
        write_sweep(self.folder / "runs" / "one")
        write_sweep(self.folder / "runs" / "two")
        self.assertEqual(len(sweep.collect([self.folder / "runs"]).runs), 12)
        (self.folder / "empty").mkdir()
        for path in ("empty", "none"):
            with self.assertRaises(onedge_post.TrajectoryError):
                sweep.collect([self.folder / path])


class Table(InFolder):
    def test_text_and_csv(self):
        write_sweep(self.folder / "s", cases=7)
        done = run_script("table.py", self.folder / "s", "--csv", self.folder / "t.csv")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("best cdat σ=2.0", done.stdout)
        self.assertIn("missing", done.stdout)
        with open(self.folder / "t.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 7)
        self.assertEqual(rows[6]["status"], "missing")
        run = onedge_post.load(self.folder / "s" / "case-0001")
        self.assertAlmostEqual(float(rows[1]["loss"]), run.steps["loss"][-5:].mean(), places=12)
        self.assertEqual((rows[1]["tuner.learning_rate"], rows[1]["tuner.sigma"]), ("0.002", ""))

    def test_bad_input(self):
        for arguments in ([self.folder / "none"], [write_sweep(self.folder / "s"), "--csv", self.folder / "no" / "t.csv"]):
            done = run_script("table.py", *arguments)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"\Atable\.py: [^\n]+\n\Z")

    def test_frames_for_what_is_installed(self):
        run = onedge_post.load(write_case(self.folder, 0, TUNERS[0]))
        frame = run.table("sharpness")
        values = frame["eigenvalues_0"] if hasattr(frame, "columns") else frame["eigenvalues"]
        np.testing.assert_array_equal(np.ravel(values), np.full(4, 50.0))


class Figure(InFolder):
    def draw(self, number, *paths):
        drawn = figure.draw(number, paths)
        self.addCleanup(figure.plt.close, drawn)
        drawn.canvas.draw()
        return drawn

    def legend(self, drawn):
        return [text.get_text() for text in drawn.legends[0].get_texts()]

    def test_curves_of_every_figure_of_training(self):
        folder = write_sweep(self.folder / "s")
        for number, rows in figure.ROWS.items():
            drawn = self.draw(number, folder)
            panels = [axes for axes in drawn.axes if axes.lines]
            self.assertGreaterEqual(len(panels), len(rows), number)
            for axes in panels:
                self.assertFalse(any("not measured" in text.get_text() for text in axes.texts), number)

    def test_the_best_of_a_grid_is_drawn_and_named(self):
        drawn = self.draw(1, write_sweep(self.folder / "s"))
        self.assertEqual(self.legend(drawn), ["tuned constant η=0.002", "CDAT σ=2.0", "greedy (CDAT σ=1.0)", "linesearch"])
        constant = drawn.axes[0].lines[0]
        run = onedge_post.load(self.folder / "s" / "case-0001")
        np.testing.assert_array_equal(constant.get_ydata(), run.steps["loss"])

    def test_settings_have_columns(self):
        one = write_sweep(self.folder / "one", model="resnet34", hidden="")
        other = write_sweep(self.folder / "other", model="nanolm", hidden="", optimizer=ADAM)
        drawn = self.draw(12, one, other)
        self.assertEqual([axes.get_title() for axes in drawn.axes][:2], ["ResNet34, gd", "NanoLM, adam"])
        self.assertEqual(len(drawn.axes), 8)
        edges = [axes for axes in drawn.axes if any(abs(line.get_ydata()[0] - 38) < 1e-9 for line in axes.lines)]
        self.assertEqual(len(edges), 1)  # the preconditioned one, of Adam

    def test_what_was_not_measured_is_said(self):
        folder = write_sweep(self.folder / "s")
        for case in folder.iterdir():
            with h5py.File(case / "trajectory.h5", "a") as file:
                del file["sharpness"]
        text = " ".join(text.get_text() for axes in self.draw(3, folder).axes for text in axes.texts)
        self.assertIn("measure.sharpness.every", text)

    def test_heat_map_is_over_the_best_of_each_batch_size(self):
        index = 0
        for ema in (0.0, 0.9):
            for batch, scale in ((32, 1.0), (64, 10.0)):
                for sigma in (1.0, 2.0):
                    write_case(self.folder / "s", index, f"{{kind: cdat, sigma: {sigma}, ema: {ema}}}",
                               scale * (sigma + ema), batch=batch)
                    index += 1
        drawn = self.draw(7, self.folder / "s")
        meshes = [axes.collections[0].get_array().reshape(2, 2) for axes in drawn.axes[:2]]
        np.testing.assert_allclose(meshes[0], [[1, 2], [1, 2]])
        np.testing.assert_allclose(meshes[1], [[1.9, 2.9], [1.9, 2.9]])

    def test_gain_is_the_mean_over_subsets(self):
        for seed in range(2):
            for which, sigma in enumerate((1.0, 2.0)):
                write_case(self.folder / "s", 2 * seed + which, f"{{kind: cdat, sigma: {sigma}, ema: 0.0}}", 1.0 + 2 * seed,
                           seed=seed, gain=True)
        drawn = self.draw(16, self.folder / "s")
        losses, gains = drawn.axes[:2]
        self.assertAlmostEqual(losses.lines[0].get_ydata()[-1], 2.0)
        np.testing.assert_allclose(gains.lines[0].get_ydata(), 0.1)

    def test_sensitivity_has_a_panel_for_each_sweep(self):
        for name, option in (("width", dict(hidden=", hidden: [{}, {}]")), ("decay", dict(decay="{}"))):
            for index, (value, sigma) in enumerate([(value, sigma) for value in (2, 1) for sigma in (1.0, 2.0)]):
                write_case(self.folder / name, index, f"{{kind: cdat, sigma: {sigma}, ema: 0.0}}", value * sigma,
                           **{key: text.format(value, value) for key, text in option.items()})
        drawn = self.draw(18, self.folder)
        self.assertEqual({axes.get_xlabel() for axes in drawn.axes}, {"hidden layers × width", "weight decay"})
        curve = drawn.axes[0].lines[0].get_ydata()
        self.assertLess(curve[0], curve[1])

    def test_toy_models(self):
        for rule in ("constant", "fixed", "cdat"):
            write_toy(self.folder / "toy" / rule, rule)
        for number, panels in ((4, 3), (9, 3), (10, 1), (11, 1)):
            self.assertEqual(len(self.draw(number, self.folder / "toy").axes), panels)

    def test_command_writes_pdf_and_refuses_in_one_line(self):
        folder = write_sweep(self.folder / "s")
        write_toy(self.folder / "toy" / "a", "cdat")
        done = run_script("figure.py", 1, folder, "-o", self.folder / "a.pdf")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.folder / "a.pdf").read_bytes()[:4], b"%PDF")
        for arguments, says in (([4, folder], "toy models"), ([1, self.folder / "toy"], "trained"), ([16, folder], "gain"),
                                ([7, folder], "mini-batches"), ([1, self.folder / "none"], "no such run")):
            done = run_script("figure.py", *arguments, "-o", self.folder / "b.png")
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, rf"\Afigure\.py: [^\n]*{says}[^\n]*\n\Z")
        self.assertEqual(run_script("figure.py", 22, folder, "-o", "x.png").returncode, 2)


class Report(InFolder):
    def test_page_holds_everything_itself(self):
        folder = write_sweep(self.folder / "s", cases=7)
        page = self.folder / "r.html"
        done = run_script("report.py", folder, "-o", page, "--figure", 3)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = page.read_text(encoding="utf-8")
        self.assertEqual(text.count("data:image/png;base64,"), 2)
        self.assertNotRegex(text, r"""(src|href)\s*=\s*["'](?!data:)""")
        for expected in ("missing", "node&lt;1&gt;", "best cdat σ=2.0", "weight_decay", "case-0005", "0.1.0"):
            self.assertIn(expected, text)
        self.assertNotIn("node<1>", text)
        self.assertEqual(len(re.findall(r'<tr class="best">', text)), 3)

    def test_no_text_of_a_file_becomes_a_tag(self):
        evil = "'\"><script>alert(1)</script>"
        for index in range(2):
            path = write_case(self.folder / "s", index, TUNERS[4 + index]) / "trajectory.h5"
            with h5py.File(path, "r+") as file:
                deck = file.attrs["deck"].replace("model: {kind: mlp", f"model: {{kind: '{evil.replace(chr(39), '')}{index}'")
                file.attrs.update({"deck": deck, "parameters": evil, "software_version": evil, "precision": evil,
                                   "status": evil, "samples": evil})
                for name in ("hosts", "backend", "revision", "time", "job_id"):
                    file[f"segments/{name}"][0] = evil
                write_table(file, "warnings", np.array([3]), {"message": np.array([evil], dtype=h5py.string_dtype())})
        done = run_script("report.py", self.folder / "s", "-o", self.folder / "r.html", "--title", evil)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = (self.folder / "r.html").read_text(encoding="utf-8")
        self.assertNotIn("<script", text)
        self.assertEqual(re.findall(r"<(?!/?(?:html|head|meta|title|style|body|h1|h2|p|ul|li|img|div|table|tr|th|td|pre)\b|!DOC)", text), [])
        self.assertGreater(text.count("&lt;script&gt;"), 8)
        for attribute, value in (("status", 7), ("deck", 7), ("deck", "a: &a [x]\nb: [*a, *a]\n")):
            with h5py.File(self.folder / "s/case-0000/trajectory.h5", "r+") as file:
                file.attrs[attribute] = value
            if isinstance(value, int):
                with self.assertRaises(onedge_post.TrajectoryError):
                    onedge_post.load(self.folder / "s/case-0000")
                with h5py.File(self.folder / "s/case-0000/trajectory.h5", "r+") as file:
                    file.attrs[attribute] = "running"
        self.assertEqual(onedge_post.load(self.folder / "s/case-0000").deck, {})  # we write no aliases: they may be bombs

    def test_toys_and_bad_input(self):
        write_toy(self.folder / "toy", "constant")
        self.assertEqual(run_script("report.py", self.folder / "toy", "-o", self.folder / "t.html", "--figure", 4).returncode, 0)
        for arguments in ([self.folder / "none", "-o", self.folder / "x.html"], [self.folder / "toy", "-o", self.folder / "x.pdf"]):
            done = run_script("report.py", *arguments)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"\Areport\.py: [^\n]+\n\Z")


class Watch(InFolder):
    def test_a_run_and_a_sweep(self):
        run = write_case(self.folder / "s", 0, TUNERS[0], status="running", cases=2)
        done = run_script("watch.py", run, "--once")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for expected in ("running", "step 40 of 40", "learning rate", "█"):
            self.assertIn(expected, done.stdout)
        done = run_script("watch.py", self.folder / "s", "--once")
        self.assertIn("1 running, 1 missing", done.stdout)
        self.assertIn("constant η=0.001", done.stdout)
        write_case(self.folder / "done", 0, TUNERS[0])
        self.assertEqual(run_script("watch.py", self.folder / "done").returncode, 0)  # ends by itself
        self.assertEqual(run_script("watch.py", self.folder / "none").returncode, 2)

    def test_sparkline(self):
        self.assertEqual(watch.sparkline([100, 10, 1], 8), "█▅▁")
        self.assertEqual(watch.sparkline([np.nan, 0], 8), "")
        self.assertEqual(len(watch.sparkline(np.ones(500), 8)), 8)


if __name__ == "__main__":
    unittest.main()
