"""Files that are damaged or made to harm: exit code 2 at once, one line, and no more memory than an honest file takes."""
import json
import os
import resource
import struct
import time
import unittest

from program import DECK, ProgramTest, forge, snapshot

import h5py
import numpy as np

SECONDS = 20
MEBIBYTES = 400  # the most that any program here takes: an honest run takes some hundred


class Hostile(ProgramTest):
    def refuse(self, *arguments, says):
        before = snapshot(self.folder)
        begin = time.monotonic()
        said = self.onedge(*arguments, code=2).stderr
        self.assertLess(time.monotonic() - begin, SECONDS)
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, MEBIBYTES)
        for text in says:
            self.assertIn(text, said)
        self.assertLess(len(said), 2000)
        self.assertEqual(said.count("\n"), 1, said)
        self.assertEqual(snapshot(self.folder), before)

    def train_on(self, *overrides, says, deck=None):
        self.refuse("train", deck or self.deck, *overrides, "-d", self.folder / "run", says=says)

    def weights(self, name, change):
        path = self.folder / name
        with h5py.File(path, "w") as file:
            for tensor, shape in (("dense_0/kernel", (5, 7)), ("dense_0/bias", (7,)), ("dense_1/kernel", (7, 3)),
                                  ("dense_1/bias", (3,))):
                file[f"parameters/{tensor}"] = np.ones(shape)
            change(file)
        return f"model.initial={path}"

    def test_groups_in_a_cycle(self):
        def cycle(file):
            file["parameters/dense_0/back"] = file["parameters"]
        self.train_on(self.weights("cycle.h5", cycle), says=["cycle.h5", "in a cycle"])

        def doubled(file):
            group = file["parameters"]
            for depth in range(31):
                below = group.create_group("a")
                group["b"] = below
                group = below
        self.train_on(self.weights("doubled.h5", doubled), says=["doubled.h5", "more than 100000"])

        def deep(file):
            file.create_group("parameters/" + "/".join("d" * 2000))
        self.train_on(self.weights("deep.h5", deep), says=["deep.h5", "deep"])

    def test_links_and_named_types(self):
        def soft(file):
            file["parameters/back"] = h5py.SoftLink("/parameters")
            file["parameters/ring"] = h5py.SoftLink("/parameters/ring")
            file["parameters/away"] = h5py.ExternalLink("nowhere.h5", "/")
            file["parameters/type"] = np.dtype("f8")
        self.train(self.weights("soft.h5", soft), "run.steps=1", directory="links")

        def ring(file):
            del file["parameters/dense_1/bias"]
            file["parameters/dense_1/bias"] = h5py.SoftLink("/parameters/dense_1/bias")
        self.train_on(self.weights("ring.h5", ring), says=["ring.h5", "dense_1/bias"])

        def typed(file):
            del file["parameters/dense_1/bias"]
            file["parameters/dense_1/bias"] = np.dtype("f8")
        self.train_on(self.weights("typed.h5", typed), says=["typed.h5", "dense_1/bias"])

    def test_declared_sizes_are_looked_at_first(self):
        def huge(shape, **options):
            def change(file):
                del file["parameters/dense_1/bias"]
                file.create_dataset("parameters/dense_1/bias", shape=shape, dtype="f4", **options)
            return change
        self.train_on(self.weights("huge.h5", huge((300_000_000,), chunks=(4096,))),
                      says=["huge.h5", "dense_1/bias", "[300000000]", "[3]"])
        self.train_on(self.weights("chunk.h5", huge((3,), maxshape=(None,), chunks=(900_000_000,), compression="gzip")),
                      says=["chunk.h5", "chunks"])

        def surplus(file):
            file.create_dataset("parameters/extra", shape=(2**62,), dtype="f4", chunks=(4096,))
        self.train_on(self.weights("surplus.h5", surplus), says=["surplus.h5", "extra"])

    def test_data_that_are_declared_and_not_there(self):
        for name, x, y, says in (("x", (500_000_000, 5), (500_000_000,), "bytes are stored"),
                                 ("wide", (64, 2**31, 2**31), (64,), "too many values"),
                                 ("y", (64, 5), (2**40,), "one label for each row")):
            path = self.folder / f"{name}.h5"
            with h5py.File(path, "w") as file:
                file.create_dataset("x", shape=x, dtype="f8", chunks=(8,) + (1,) * (len(x) - 1))
                file.create_dataset("y", shape=y, dtype="i8", chunks=(8,))
                if name == "x":
                    file["x"][:8, 0] = 1  # one chunk, which is all that is stored
            deck = self.write(f"{name}.yaml", json.dumps({**DECK, "data": {"set": "hdf5", "path": str(path)}}))
            self.train_on(deck=deck, says=[path.name, says])
            if name == "x":
                self.train_on("data.samples=64", "data.classes=3", deck=deck, says=[path.name, "bytes are stored"])

    def test_headers_of_images(self):
        for split in ("train", "t10k"):
            self.write(f"idx/{split}-images-idx3-ubyte", bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**32 - 1, 4096, 4096))
            self.write(f"idx/{split}-labels-idx1-ubyte", bytes([0, 0, 8, 1]) + struct.pack(">I", 2**32 - 1))
        deck = self.write("idx.yaml", json.dumps({**DECK, "data": {"set": "mnist", "path": str(self.folder / "idx")}}))
        self.train_on(deck=deck, says=["train-images-idx3-ubyte", "truncated"])
        header = (b"\xff\xd8\xff\xc0\x00\x11\x08" + struct.pack(">2H", 16000, 16000) + b"\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00"
                  + b"\xff\xda\x00\x0c\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00\xff\xd9")
        for name in ("a/1.jpg", "b/1.jpg"):
            self.write(f"images/{name}", header)
        deck = self.write("images.yaml", json.dumps({**DECK, "data": {"set": "images", "path": str(self.folder / "images")}}))
        self.train_on(deck=deck, says=["a/1.jpg", "16000 by 16000 pixels in"])

    def test_pipes_and_devices_keep_nobody_waiting(self):
        for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "data_batch_1.bin", "text", "x.h5", "a/1.jpg", "b/1.jpg"):
            path = self.folder / "pipes" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            os.mkfifo(path)
        for data, says in (({"set": "mnist", "path": "pipes"}, "idx3"), ({"set": "cifar10", "path": "pipes"}, "data_batch_1"),
                           ({"set": "text", "path": "pipes/text"}, "text"), ({"set": "text", "path": "/dev/zero"}, "/dev/zero"),
                           ({"set": "hdf5", "path": "pipes/x.h5"}, "x.h5")):
            deck = self.write("pipe.yaml", json.dumps({**DECK, "data": data}))
            self.train_on(deck=deck, says=[says, "no regular file"])
        for name in ("a", "b"):
            (self.folder / "classes" / name).mkdir(parents=True)
            os.mkfifo(self.folder / "classes" / name / "1.jpg")
        deck = self.write("pipe.yaml", json.dumps({**DECK, "data": {"set": "images", "path": "classes"}}))
        self.train_on(deck=deck, says=["1.jpg", "no regular file"])
        for key in ("model.initial", "run.branch"):
            self.train_on(f"{key}=pipes/x.h5", says=["x.h5"])
        self.refuse("sharpness", "pipes/x.h5", says=["x.h5"])

    def test_decks(self):
        for name, text, says in (
                ("scalar", "run: {name: " + 50_000_000 * "a" + "}\n", "1048576 bytes"),
                ("keys", "run:\n" + "".join(f"  k{i}: 1\n" for i in range(80_000)), "unknown key"),
                ("many", "run:\n" + "".join(f"  k{i}: 1\n" for i in range(110_000)), "1048576 bytes"),
                ("swept", "sweep:\n" + "".join(f"  run.k{i}: 1\n" for i in range(45_000)), "more than 1000 keys"),
                ("product", "sweep:\n" + "".join(f"  run.k{i}: [1, 2]\n" for i in range(17)), "more than 100000"),
                ("values", "sweep:\n  run.seed: {from: 0, to: 9999}\n" + "".join(f"  run.k{i}: 1\n" for i in range(1000)),
                 "more than 1000000 values"),
                ("word", "run: {precision: " + 900_000 * "b" + "}\n", "precision"),
                ("key", "run: {" + "k" * 1000 + ": 1}\n", "unknown key"),
                ("deep", "run: " + 400_000 * "[", "not valid YAML"),
                ("laughs", "".join(f"k{i}: &a{i} [" + ", ".join([f"*a{i - 1}" if i else "x"] * 9) + "]\n" for i in range(12)),
                 "too large")):
            deck = self.write(f"{name}.yaml", text)
            with self.subTest(name):
                more = ["--case", "0"] if text.startswith("sweep") else []
                self.train_on(*more, deck=deck, says=[f"{name}.yaml", says])
        self.refuse("train", "/dev/zero", says=["/dev/zero", "bytes"])

    def test_sweeps_of_many_cases_are_listed(self):
        deck = self.write("sweep.yaml", json.dumps({**DECK, "sweep": {"run.seed": list(range(5_000))}}))
        begin = time.monotonic()
        listed = self.onedge("cases", deck).stdout
        self.assertLess(time.monotonic() - begin, SECONDS)
        self.assertEqual(listed.splitlines()[-1], "4999 run.seed=4999")

    def test_what_a_run_goes_on_from(self):
        """A checksum says that a file is whole, not that it is kind."""
        self.train("run.steps=3", "output.checkpoint={every: 3, keep: 1}")
        checkpoint = self.folder / "run/checkpoint-00000003.h5"
        (self.folder / "run/checkpoint-00000000.h5").unlink()
        whole = {path: path.read_bytes() for path in (checkpoint, self.folder / "run/trajectory.h5")}

        def replace(name, **options):
            def change(file):
                del file[name]
                file.create_dataset(name, **options)
            return change
        huge = {"shape": (2**40,), "dtype": "f8", "chunks": (4096,)}
        for change in (lambda file: file["optimizer"].__setitem__("back", file["/"]),
                       replace("parameters/dense_0/kernel", **huge), replace("training/previous_update", **huge),
                       lambda file: file.__delitem__("optimizer"), lambda file: file.__delitem__("training"),
                       replace("trajectory/segments/first_step", **huge), replace("trajectory/steps/step", **huge),
                       replace("trajectory/steps/loss", **huge)):
            forge(checkpoint, change)
            self.train_on("run.steps=6", says=["checkpoint-00000003.h5", "no whole checkpoint"])
            checkpoint.write_bytes(whole[checkpoint])
        for change in (replace("segments/first_step", **huge), replace("steps/loss", **huge),
                       lambda file: file.attrs.__setitem__("deck", "run: {name: " + 2_000_000 * "x" + "}")):
            forge(self.folder / "run/trajectory.h5", change)
            done = self.onedge("cases", self.deck, "--missing", code=2)  # no sweep: only that it ends
            self.assertEqual(done.stderr.count("\n"), 1)
            (self.folder / "run/trajectory.h5").write_bytes(whole[self.folder / "run/trajectory.h5"])
        self.train("run.steps=6")


if __name__ == "__main__":
    unittest.main()
