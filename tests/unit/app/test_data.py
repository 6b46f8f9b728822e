"""What the section `data` makes of a set, against NumPy: a run on raw data under an option does what a run on data that
NumPy has prepared does."""
import base64
import json
import unittest

from program import DECK, ProgramTest

import h5py
import numpy as np

SAMPLES, SHAPE = 75, (1, 2, 3)  # not a multiple of the block of 8; three channels

# A grey JPEG, 6 rows of 8 pixels, that decodes to GREY everywhere.
GREY = 72
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk"
    "1xeXBkeFxlZ2P/wAALCAAGAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8ADf/Z")


class Data(ProgramTest):
    def deck_of(self, name, x, y, **data):
        with h5py.File(self.folder / f"{name}.h5", "w") as file:
            file["x"], file["y"] = x, y
            file["x_test"], file["y_test"] = x[::-1][:40], y[::-1][:40]
        section = {"set": "hdf5", "path": str(self.folder / f"{name}.h5"), **data}
        deck = {**DECK, "data": section, "output": {"checkpoint": {"every": 0}}}
        return self.write(f"{name}.yaml", json.dumps(deck))

    def losses(self, deck, directory, ranks=0):
        self.train(deck=deck, directory=directory, ranks=ranks)
        with h5py.File(self.folder / directory / "trajectory.h5", "r") as file:
            return np.concatenate([file["steps/loss"][:], file["evaluation/test_loss"][:]])

    def check(self, name, raw, prepared, **options):
        """raw, prepared: (x, y)."""
        deck = self.deck_of(f"{name}-raw", *raw, **options)
        wanted = self.losses(self.deck_of(f"{name}-prepared", *prepared), f"{name}-prepared")
        found = self.losses(deck, f"{name}-raw")
        np.testing.assert_allclose(found, wanted, rtol=1e-11)
        for ranks in (2, 3, 4):
            np.testing.assert_array_equal(self.losses(deck, f"{name}-{ranks}", ranks), found)
        plain = self.losses(self.deck_of(f"{name}-plain", *raw), f"{name}-plain")
        self.assertGreater(np.max(np.abs(plain - found)), 1e-3)  # the option does something

    def test_standardize(self):
        random = np.random.default_rng(0)
        y = random.integers(0, 3, SAMPLES)
        pixels = random.integers(0, 256, (SAMPLES, *SHAPE)).astype(np.uint8)
        pixels[:, 0, 1, 2] = 7  # constant
        for kind, raw in (("pixels", pixels), ("reals", random.normal(3.0, 2.0, (SAMPLES, *SHAPE)))):
            x = raw.astype(float)
            for option, axes in (("channel", (0, 1, 2)), ("pixel", 0)):
                deviation = x.std(axes)
                prepared = (x - x.mean(axes)) / np.where(deviation > 0, deviation, 1.0)
                with self.subTest(kind=kind, option=option):
                    self.check(f"{kind}-{option}", (raw, y), (prepared, y), standardize=option)

    def test_labels(self):
        random = np.random.default_rng(1)
        x, y = random.normal(size=(200, 5)), random.integers(0, 6, 200)
        kept = np.sort(np.concatenate([np.flatnonzero(y == label)[:18] for label in (4, 0, 3)]))[2:52]
        new = np.array([1, -1, -1, 2, 0, -1])[y[kept]]
        # The test samples are those of these labels among all; the prepared file needs them as well.
        deck = self.deck_of("raw", x, y, labels=[4, 0, 3], per_label=18, first=2, samples=50, standardize="pixel")
        found = self.losses(deck, "raw")
        x_test, y_test = x[::-1][:40], y[::-1][:40]
        inside = np.isin(y_test, (4, 0, 3))
        mean, deviation = x[kept].mean(0), x[kept].std(0)
        deck = self.deck_of("prepared", (x[kept] - mean) / deviation, new)
        with h5py.File(self.folder / "prepared.h5", "r+") as file:
            del file["x_test"], file["y_test"]
            file["x_test"] = (x_test[inside] - mean) / deviation
            file["y_test"] = np.array([1, -1, -1, 2, 0, -1])[y_test[inside]]
        np.testing.assert_allclose(found, self.losses(deck, "prepared"), rtol=1e-11)

    def test_images(self):
        for split, images in (("train", 12), ("val", 10)):
            for image in range(2 * images):
                self.write(f"pictures/{split}/{'ant' if image < images else 'bee'}/{image:02}.jpeg", JPEG)
        data = {"set": "images", "path": str(self.folder / "pictures"), "size": 4, "resize": 5, "standardize": "imagenet"}
        deck = self.write("images.yaml", json.dumps({**DECK, "data": data, "output": {"checkpoint": {"every": 0}}}))
        found = self.losses(deck, "images")
        x = (GREY / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
        prepared = self.deck_of("prepared", np.broadcast_to(x, (24, 4, 4, 3)), np.arange(24) // 12)
        with h5py.File(self.folder / "prepared.h5", "r+") as file:
            del file["x_test"], file["y_test"]
            file["x_test"], file["y_test"] = np.broadcast_to(x, (20, 4, 4, 3)), np.arange(20) // 10
        np.testing.assert_allclose(found, self.losses(prepared, "prepared"), rtol=1e-11)
        np.testing.assert_array_equal(self.losses(deck, "images-3", ranks=3), found)

    def warnings(self, deck, directory, *arguments, ranks=0):
        """Those of a run, which must be the same at the terminal, in the log and in the trajectory."""
        done = self.train(*arguments, deck=deck, directory=directory, ranks=ranks)
        told = [line.removeprefix("warning: ") for line in done.stderr.splitlines() if line.startswith("warning: ")]
        log = (self.folder / directory / "run.log").read_text()
        with h5py.File(self.folder / directory / "trajectory.h5", "r") as file:
            self.assertEqual(list(file["warnings/message"].asstr()), told)
        for text in told:
            self.assertEqual(log.count(f"warning: {text}"), 1)
        return told

    def test_order_of_axes(self):
        random = np.random.default_rng(3)
        x, y = random.integers(0, 256, (SAMPLES, 6, 5, 3)).astype(np.uint8), random.integers(0, 3, SAMPLES)
        turned = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        right = self.deck_of("right", x, y)
        self.assertEqual(self.warnings(right, "right"), [])
        nchw = self.deck_of("nchw", turned, y, layout="nchw")
        self.assertEqual(self.warnings(nchw, "nchw", ranks=3), [])
        wrong = self.deck_of("wrong", turned, y)
        for ranks in (0, 3):
            told = self.warnings(wrong, f"wrong-{ranks}", ranks=ranks)
            self.assertEqual(len(told), 1)
            self.assertIn("wrong.h5:/x: the shape [75, 3, 6, 5] is read as images of 3 × 6 pixels × 5 channels", told[0])
            self.assertIn("data.layout: nchw", told[0])
        with h5py.File(self.folder / "right/trajectory.h5", "r") as one, \
                h5py.File(self.folder / "nchw/trajectory.h5", "r") as other:
            np.testing.assert_array_equal(one["steps/loss"][:], other["steps/loss"][:])
        for deck, axes, warned in ((right, "6 × 5 pixels × 3 channels, uint8, divided by 255", False),
                                   (nchw, "6 × 5 pixels × 3 channels", False), (wrong, "3 × 6 pixels × 5 channels", True)):
            done = self.train("--dry-run", deck=deck)
            self.assertIn(axes, done.stdout)
            self.assertEqual("data.layout" in done.stderr, warned)
        # A run that goes on does not repeat itself in the trajectory.
        more = ("output.checkpoint.every=4",)
        self.train(*more, "run.steps=4", deck=wrong, directory="resumed")
        self.train(*more, deck=wrong, directory="resumed")
        with h5py.File(self.folder / "resumed/trajectory.h5", "r") as file:
            self.assertEqual(len(file["warnings/message"]), 1)
        done = self.onedge("sharpness", self.folder / "resumed/checkpoint-00000008.h5", ranks=2)
        self.assertEqual(done.stderr.count("data.layout"), 1)

    def test_images_of_one_channel(self):
        random = np.random.default_rng(4)
        x, y = random.integers(0, 256, (SAMPLES, 6, 5)).astype(np.uint8), random.integers(0, 3, SAMPLES)
        found = self.losses(self.deck_of("flat", x, y, standardize="channel"), "flat")
        wanted = self.losses(self.deck_of("deep", x[..., None], y, standardize="channel"), "deep")
        np.testing.assert_array_equal(found, wanted)

    def test_odd_images(self):
        """One warning for all of a kind, whatever the number of ranks."""
        odd = JPEG.replace(b"JFIF\0\1\1", b"JFIF\0\0\0")
        turned = JPEG[:2] + b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0" + JPEG[2:]
        self.assertNotEqual(odd, JPEG)
        for image in range(24):
            self.write(f"pictures/{'ant' if image < 12 else 'bee'}/{image:02}.jpeg", odd if image in (5, 9, 21) else
                       turned if image in (6, 23) else JPEG)
        data = {"set": "images", "path": str(self.folder / "pictures"), "size": 4, "resize": "none"}
        deck = self.write("images.yaml", json.dumps({**DECK, "data": data}))
        for ranks in (0, 3):
            told = self.warnings(deck, f"images-{ranks}", ranks=ranks)
            self.assertEqual(len(told), 2, told)
            for text, parts in zip(told, (("EXIF", ": 2, the first", "ant/06.jpeg"), ("odd", ": 3, the first", "ant/05.jpeg"))):
                for part in parts:
                    self.assertIn(part, text)

    def test_texts(self):
        text = "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want "
        path = self.write("text.txt", text * 6)
        deck = {**DECK, "data": {"set": "text", "path": str(path), "length": 8, "samples": 60, "test_samples": 17},
                "model": {"kind": "nanolm", "width": 8, "depth": 1, "heads": 2, "attention_width": 4, "mlp_width": 16},
                "tuner": {"kind": "constant", "learning_rate": 0.1}, "output": {"checkpoint": {"every": 0}}}
        full = self.write("text.yaml", json.dumps(deck))
        found = self.losses(full, "text")
        self.assertLess(found[7], found[0])
        self.assertEqual(len(found), 8 + 3)
        np.testing.assert_array_equal(self.losses(full, "text-3", ranks=3), found)
        # Mini-batches of windows: over an epoch at rest, the mean of their losses is the loss of all.
        still = {**deck, "batch": {"size": 12}, "tuner": {"kind": "constant", "learning_rate": 0.0}}
        batches = self.losses(self.write("batches.yaml", json.dumps(still)), "batches")
        with h5py.File(self.folder / "text/trajectory.h5", "r") as file:
            np.testing.assert_allclose(batches[:5].mean(), file["steps/loss"][0], rtol=1e-12)
        self.assertEqual(len(set(batches[:8])), 8)
        np.testing.assert_array_equal(batches[8:], found[8])  # the test loss, where nothing moves

    def test_sharpness_sees_standardised_samples(self):
        random = np.random.default_rng(2)
        x, y = random.normal(3.0, 2.0, (64, 5)), random.integers(0, 3, 64)
        spectra = []
        for name, inputs, options in (("raw", x, {"standardize": "pixel"}),
                                      ("prepared", (x - x.mean(0)) / x.std(0), {})):
            self.train("output.checkpoint.every=8", deck=self.deck_of(name, inputs, y, **options), directory=name)
            self.onedge("sharpness", self.folder / name / "checkpoint-00000008.h5", "--tolerance", "1e-8", ranks=2)
            with h5py.File(self.folder / name / "sharpness-00000008.h5", "r") as file:
                spectra.append(file["hessian/eigenvalues"][:])
        np.testing.assert_allclose(spectra[0], spectra[1], rtol=1e-9)


if __name__ == "__main__":
    unittest.main()
