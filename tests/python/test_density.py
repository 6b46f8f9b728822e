"""The reader of what `onedge sharpness` writes, and postprocess/density.py, on files made here with h5py. Exit code
77: a package is missing."""
import sys
import unittest

from test_postprocess import ADAM, CDAT, DECK, GD, InFolder, onedge_post, plot, run_script, write_run

import density  # noqa: E402
import h5py
import numpy as np

PARAMETERS = 200


def operator(eigenvalues, probes=3, steps=20, seed=1):
    """Columns for a matrix that has these eigenvalues, and 0 for the rest of PARAMETERS."""
    random = np.random.default_rng(seed)
    nodes = np.tile(np.append(eigenvalues, np.zeros(steps - len(eigenvalues))), (probes, 1))
    weights = np.full_like(nodes, 1 / PARAMETERS)
    weights[:, len(eigenvalues):] = random.dirichlet(np.ones(steps - len(eigenvalues)), probes)
    weights[:, len(eigenvalues):] *= 1 - len(eigenvalues) / PARAMETERS
    order = np.argsort(nodes, axis=1)
    return {"density_nodes": np.take_along_axis(nodes, order, 1),
            "density_weights": np.take_along_axis(weights, order, 1),
            "eigenvalues": np.asarray(eigenvalues, dtype=float), "residuals": np.full(len(eigenvalues), 1e-4),
            "converged": np.ones(len(eigenvalues), dtype=int)}


def write_spectrum(path, operators, step=20, optimizer=GD, without=(), **attributes):
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs.update({"format_version": 1, "checkpoint": f"runs/{path.stem}/checkpoint-00000020.h5", "step": step,
                           "deck": DECK.format(name="run", tuner=CDAT, optimizer=optimizer), "parameters": PARAMETERS,
                           "samples": 4096, "edge": 2.0, "precision": "double", **attributes})
        for name, columns in operators.items():
            group = file.create_group(name)
            group.attrs.update({"products": 30, "seconds": 0.5})
            for column, values in columns.items():
                if column not in without:
                    group[column] = values
    return path


HESSIAN = operator([5.0, 3.0])
MINUS = {**operator([5.0, -1.0], seed=2), "eigenvalues": np.array([-1.0, -0.5])}  # all of H


def integral(y, x):
    return np.sum(0.5 * (y[1:] + y[:-1]) * np.diff(x))


class Reader(InFolder):
    def test_everything_is_read(self):
        vector = np.ones(PARAMETERS)
        path = write_spectrum(self.folder / "a.h5", {"hessian": {**HESSIAN, "eigenvector_0": vector}})
        spectrum = onedge_post.load_spectrum(path)
        self.assertEqual((spectrum.step, spectrum.attrs["edge"], spectrum.name), (20, 2.0, "a"))
        self.assertEqual(spectrum.deck["optimizer"], {"kind": "gd"})
        self.assertEqual((spectrum.products, spectrum.seconds), ({"hessian": 30}, {"hessian": 0.5}))
        self.assertEqual(set(spectrum.operators["hessian"]), set(HESSIAN))
        for name, values in HESSIAN.items():
            np.testing.assert_array_equal(spectrum.operators["hessian"][name], values)
        spectrum = onedge_post.load_spectrum(str(path), eigenvectors=True)
        np.testing.assert_array_equal(spectrum.operators["hessian"]["eigenvector_0"], vector)

    def test_bad_files_are_named(self):
        run = write_run(self.folder / "run")
        write_spectrum(self.folder / "newer.h5", {}, format_version=2)
        (self.folder / "text.h5").write_text("loss: 3\n")
        for path, text in ((self.folder / "none.h5", "no such file"), (run, "is a folder"),
                           (run / "trajectory.h5", "not a spectrum"), (self.folder / "newer.h5", "format version 2"),
                           (self.folder / "text.h5", "not readable as a spectrum")):
            with self.assertRaises(onedge_post.SpectrumError) as caught:
                onedge_post.load_spectrum(path)
            self.assertIn(str(path), str(caught.exception))
            self.assertIn(text, str(caught.exception))
            self.assertNotIn("\n", str(caught.exception))


class Density(InFolder):
    def figure(self, *paths, options=()):
        spectra = [onedge_post.load_spectrum(path) for path in paths]
        figure = density.draw(spectra, density.parse([*map(str, paths), "-o", "x.png", *options]))
        self.addCleanup(plot.plt.close, figure)
        return figure

    def curves(self, axes):
        """(x, y) of the densities, without the ticks."""
        return [line.get_data() for line in axes.lines if line.get_linestyle() != "None"]

    def test_curve_is_the_smoothed_sum(self):
        path = write_spectrum(self.folder / "a.h5", {"hessian": HESSIAN})
        for width in (0.02, 0.3):
            axes = self.figure(path, options=["--width", str(width)]).axes[0]
            (x, y), = self.curves(axes)
            s = width * 5
            gaussians = np.exp(-0.5 * ((x[:, None, None] - HESSIAN["density_nodes"]) / s) ** 2)
            expected = (HESSIAN["density_weights"] * gaussians).sum(2).mean(1) / (np.sqrt(2 * np.pi) * s)
            np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-20)
            self.assertAlmostEqual(integral(y, x), 1, delta=1e-3)
            self.assertEqual(axes.get_yscale(), "log")

    def test_a_curve_for_each_operator_and_file(self):
        operators = {"hessian": HESSIAN, "gauss_newton": HESSIAN, "preconditioned_hessian": operator([400.0]),
                     "negative_hessian": MINUS}
        first = write_spectrum(self.folder / "a.h5", operators)
        second = write_spectrum(self.folder / "b.h5", operators, step=40)
        figure = self.figure(first, second)
        self.assertEqual([len(self.curves(axes)) for axes in figure.axes], [4, 2])
        self.assertEqual([axes.get_title() for axes in figure.axes],
                         ["Hessian and Gauss-Newton", "Preconditioned Hessian"])
        self.assertEqual([text.get_text() for text in figure.legends[0].texts],
                         [f"{name}, step {step}" for step in (20, 40)
                          for name in ("Hessian", "Gauss-Newton", "Preconditioned Hessian")])
        figure = self.figure(first, second, options=["--operators", "gauss_newton", "--x", "symlog"])
        self.assertEqual([len(self.curves(axes)) for axes in figure.axes], [2])
        self.assertEqual(figure.axes[0].get_xscale(), "symlog")

    def test_files_are_told_apart(self):
        paths = [write_spectrum(self.folder / f"{name}.h5", {"hessian": HESSIAN}, optimizer=optimizer)
                 for name, optimizer in (("a", GD), ("b", GD), ("c", ADAM))]
        names = density.file_names([onedge_post.load_spectrum(path) for path in paths])
        self.assertEqual(len(set(names)), 3)
        self.assertIn("adam", names[2])

    def test_ticks_are_the_eigenvalues(self):
        unsure = {**HESSIAN, "converged": np.array([1, 0])}
        path = write_spectrum(self.folder / "a.h5", {"hessian": unsure, "negative_hessian": MINUS})
        ticks = {line.get_marker(): sorted(line.get_xdata()) for line in self.figure(path).axes[0].lines
                 if line.get_linestyle() == "None"}
        self.assertEqual(ticks, {"|": [-1, -0.5, 5], "o": [3]})

    def test_minus_h_alone_gives_the_curve_of_h(self):
        path = write_spectrum(self.folder / "a.h5", {"negative_hessian": MINUS})
        axes, = self.figure(path).axes
        (x, y), = self.curves(axes)
        self.assertEqual(axes.get_title(), "Hessian")
        self.assertAlmostEqual(integral(y[x > 4], x[x > 4]), 1 / PARAMETERS, places=6)

    def test_one_point_spectrum_has_a_curve(self):
        zero = {**operator([]), "density_nodes": np.zeros((3, 20))}
        axes, = self.figure(write_spectrum(self.folder / "a.h5", {"hessian": zero})).axes
        (x, y), = self.curves(axes)
        self.assertAlmostEqual(integral(y, x), 1, places=6)

    def test_command(self):
        path = write_spectrum(self.folder / "a.h5", {"hessian": HESSIAN, "preconditioned_hessian": HESSIAN})
        for name, options, magic in (("a.png", [], b"\x89PNG"), ("b.pdf", ["--x", "symlog", "--title", "T"], b"%PDF")):
            result = run_script("density.py", path, "-o", self.folder / name, *options)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual((self.folder / name).read_bytes()[:4], magic)

    def test_bad_input_is_one_line_and_exit_code_2(self):
        good = write_spectrum(self.folder / "good.h5", {"hessian": HESSIAN})
        bare = write_spectrum(self.folder / "bare.h5", {"hessian": HESSIAN},
                              without=("density_nodes", "density_weights"))
        for arguments in ([self.folder / "none.h5"], [bare], [good, bare], [good, "--operators", "gauss_newton"]):
            result = run_script("density.py", *arguments, "-o", self.folder / "x.png")
            self.assertEqual(result.returncode, 2, arguments)
            self.assertRegex(result.stderr, r"\Adensity\.py: [^\n]+\n\Z")
        for arguments in (["-o", self.folder / "x.docx"], ["-o", "x.png", "--width", "0"],
                          ["-o", "x.png", "--operators", "jacobian"]):
            result = run_script("density.py", good, *arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertNotIn("Traceback", result.stderr)
        self.assertFalse((self.folder / "x.png").exists())


if __name__ == "__main__":
    unittest.main()
