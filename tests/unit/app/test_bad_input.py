"""Bad input: exit code 2, one line that names what is wrong and where, before any training, nothing written."""
import gzip
import json
import struct
import unittest

from program import DECK, ProgramTest, snapshot

import h5py
import numpy as np


def idx(array, magic_dimensions=None):
    """An IDX file of bytes."""
    array = np.asarray(array, np.uint8)
    return (bytes([0, 0, 8, magic_dimensions or array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            + array.tobytes())


class BadInput(ProgramTest):
    def refuse(self, *arguments, says, ranks=0):
        """The program must refuse these arguments; its message must hold all of `says`."""
        with self.subTest(arguments=" ".join(map(str, arguments)), ranks=ranks):
            before = snapshot(self.folder)
            folders = {path for path in self.folder.rglob("*") if path.is_dir()}
            done = self.onedge(*arguments, ranks=ranks, code=2)
            # mpirun adds lines of its own.
            lines = done.stderr.strip().splitlines()
            ours = [line for line in lines if line.startswith("onedge: ")]
            self.assertEqual(len(ours), 1, done.stderr)
            if not ranks:
                self.assertEqual(lines, ours)
            for text in says:
                self.assertIn(text, ours[0])
            for text in ("terminate called", "what()", "std::", ".cpp", "Traceback", "HDF5-DIAG"):
                self.assertNotIn(text, done.stderr)
            self.assertEqual(snapshot(self.folder), before)
            self.assertEqual({path for path in self.folder.rglob("*") if path.is_dir()}, folders)

    def refuse_train(self, *overrides, says, deck=None, directory="run", ranks=0):
        self.refuse("train", deck or self.deck, *overrides, "-d", self.folder / directory, says=says, ranks=ranks)

    def test_keys(self):
        deck = self.write("typo.yaml", "run: {steps: 3}\ndata: {set: synthetic, samples: 64}\ntuner:\n"
                                       "  kind: cdat\n  sigmaa: 2.0\n")
        self.refuse_train(deck=deck, says=["typo.yaml:5", "tuner.sigmaa", "sigma"])
        self.refuse_train(deck=deck, says=["typo.yaml:5"], ranks=2)
        deck = self.write("section.yaml", "run: {steps: 3}\n\noptimiser: {kind: gd}\n")
        self.refuse_train(deck=deck, says=["section.yaml:3", "optimiser", "optimizer"])
        self.refuse_train("tuner.sigmma=2.0", says=["command line", "tuner.sigmma", "sigma"])
        self.refuse_train("output.checkpoint.evry=1", says=["output.checkpoint.evry", "every"])
        self.refuse_train("tuner.learning_rate=1.0", says=["tuner.learning_rate"])  # of another kind of tuner
        self.refuse_train("run.steps", says=["run.steps"])
        deck = self.write("twice.yaml", "run: {steps: 3}\nrun: {steps: 4}\n")
        self.refuse_train(deck=deck, says=["twice.yaml:2", "run"])
        deck = self.write("lines.yaml", 'run: {"see\\nd": 3}\n')
        self.refuse_train(deck=deck, says=["lines.yaml:1", "see?d"])  # still one line

    def test_how_to_measure_without_when(self):
        for key, value in (("count", 4), ("count", 1), ("operators", "[hessian]"), ("tolerance", 0.01), ("block", 1),
                           ("solver", "lobpcg"), ("maximum_products", 9), ("track_above", 1.5), ("maximum_count", 4)):
            self.refuse_train(f"measure.sharpness.{key}={value}", says=[f"measure.sharpness.{key}", "every"])
            self.train(f"measure.sharpness={{every: 0, {key}: {value}}}", "--dry-run")  # turned off
        # A complete deck, as --dry-run shows it, is a deck.
        self.write("complete.yaml", self.train("--dry-run").stdout)
        self.train("--dry-run", deck=self.folder / "complete.yaml")

    def test_types_and_ranges(self):
        for override, says in (
            ("run.steps=many", ["run.steps", "integer"]), ("run.steps=1.5", ["run.steps"]), ("run.steps=-1", ["run.steps"]),
            ("run.seed=-1", ["run.seed"]), ("run.block=0", ["run.block"]), ("run.precision=half", ["run.precision", "single"]),
            ("run.reduction=reproducable", ["run.reduction", "reproducible"]),
            ("run.micro_batch=12", ["run.micro_batch", "multiple of run.block (8)"]),
            ("run.micro_batch=some", ["run.micro_batch", "auto"]), ("run.stop=1.0", ["run.stop"]),
            ("data.samples=0", ["data.samples"]), ("data.set=mnits", ["data.set", "mnist"]),
            ("model.hidden=[8, x]", ["model.hidden"]), ("model.hidden=[0]", ["model.hidden"]),
            ("model.activation=rely", ["model.activation", "relu"]), ("loss.weight_decay=-0.1", ["loss.weight_decay"]),
            ("optimizer.momentum=1.0", ["optimizer.momentum"]), ("optimizer.nesterov=maybe", ["optimizer.nesterov"]),
            ("optimizer.kind=sgd", ["optimizer.kind", "gd"]), ("tuner.ema=1.0", ["tuner.ema"]), ("tuner.every=0", ["tuner.every"]),
            ("tuner.sigma=.nan", ["tuner.sigma"]), ("tuner={kind: gd}", ["tuner", "section.key=value"]),
            ("measure.evaluation.every=-3", ["measure.evaluation.every"]), ("output.publish=-1.0", ["output.publish"]),
            ("output.checkpoint=none", ["output.checkpoint"]),
        ):
            self.refuse_train(override, says=says)
        for tuner, says in (
            ({"kind": "constant"}, ["tuner.learning_rate"]), ({"kind": "sharpnes"}, ["tuner.kind"]),
            ({"kind": "schedule", "peak": 1.0, "warmup": 100}, ["warmup"]),
            ({"kind": "linesearch", "decrease": 1.0}, ["tuner.decrease"]), ({"kind": "cdat", "sigma": "two"}, ["tuner.sigma"]),
        ):
            self.refuse_train(deck=self.write("tuner.yaml", json.dumps({**DECK, "tuner": tuner})), says=says)

    def test_command_line(self):
        self.refuse("train", self.deck, "--frech", says=["--frech"])
        self.refuse("train", says=["deck"])
        self.refuse("tarin", self.deck, says=["tarin"])
        self.refuse("train", self.deck, "-d", says=["-d"])
        self.refuse("train", self.deck, "--frech", says=["--frech"], ranks=2)
        self.refuse("train", "absent.yaml", says=["absent.yaml"])
        self.refuse("train", "absent.yaml", says=["absent.yaml"], ranks=2)
        self.refuse("train", self.folder, says=[str(self.folder)])
        self.refuse_train(deck=self.write("empty.yaml", ""), says=["empty.yaml"])
        self.refuse_train(deck=self.write("broken.yaml", "run: {steps: 3\ndata: ]"), says=["broken.yaml"])
        self.refuse_train(deck=self.write("words.yaml", "just words"), says=["words.yaml"])
        self.refuse_train(deck=self.write("binary.yaml", bytes(range(256))), says=["binary.yaml"])

    def data_deck(self, **data):
        return self.write("data.yaml", json.dumps({**DECK, "data": data}))

    def test_idx_files(self):
        images, labels = np.zeros((64, 4, 4)), np.arange(64) % 10
        def folder(name, images, labels, suffix=""):
            self.write(f"{name}/train-images-idx3-ubyte{suffix}", images)
            self.write(f"{name}/train-labels-idx1-ubyte{suffix}", labels)
            return self.data_deck(set="mnist", path=str(self.folder / name))
        good = folder("good", idx(images), idx(labels))
        self.train("run.steps=1", "measure.evaluation.every=0", deck=good, directory="fine")
        refuse = lambda deck, *says, ranks=0: self.refuse_train(deck=deck, says=says, ranks=ranks)
        refuse(self.data_deck(set="mnist", path=str(self.folder / "nowhere")), "nowhere")
        refuse(folder("cut", idx(images)[:-1], idx(labels)), "train-images-idx3-ubyte", "cut")
        refuse(folder("long", idx(images) + b"x", idx(labels)), "train-images-idx3-ubyte")
        refuse(folder("magic", b"\x89PNG" + idx(images)[4:], idx(labels)), "train-images-idx3-ubyte", "magic")
        refuse(folder("header", idx(images)[:7], idx(labels)), "train-images-idx3-ubyte")
        refuse(folder("count", idx(images), idx(labels[:-1])), "train-labels-idx1-ubyte")
        refuse(folder("empty", b"", idx(labels)), "train-images-idx3-ubyte")
        packed = gzip.compress(idx(np.random.default_rng(0).integers(0, 256, (64, 4, 4))))
        refuse(folder("packed", packed[:-40], gzip.compress(idx(labels)), ".gz"), "train-images-idx3-ubyte.gz")
        labels[50] = 10
        deck = folder("label", idx(images), idx(labels))
        refuse(deck, "/label/", "label 10 of sample 50")
        refuse(deck, "/label/", "label 10 of sample 50", ranks=2)  # only the second rank reads it

    def test_compressed_idx_files(self):
        """Wrong anywhere is wrong, whatever part is used."""
        whole = gzip.compress(idx(np.random.default_rng(0).integers(0, 256, (4096, 4, 4))))
        deck = self.data_deck(set="mnist", path=str(self.folder / "packed"), samples=64)
        self.write("packed/train-labels-idx1-ubyte.gz", gzip.compress(idx(np.arange(4096) % 10)))
        def refuse(contents, *says):
            self.write("packed/train-images-idx3-ubyte.gz", contents)
            for more in ([], ["--dry-run"]):
                self.refuse_train(*more, deck=deck, says=["train-images-idx3-ubyte.gz", *says])
        flip = lambda at: whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]
        refuse(flip(len(whole) - 8), "damaged")  # the checksum
        refuse(flip(len(whole) - 4), "damaged")  # the length
        refuse(whole[:-4], "truncated")
        refuse(whole + b"more", "damaged")
        self.write("packed/train-images-idx3-ubyte.gz", whole[:])
        self.train("run.steps=1", "measure.evaluation.every=0", deck=deck, directory="fine")

    def test_cifar_files(self):
        record = bytes([3]) + bytes(3072)
        for batch in range(1, 6):
            self.write(f"cifar/data_batch_{batch}.bin", record * 16)
        deck = self.data_deck(set="cifar10", path=str(self.folder / "cifar"))
        self.write("cifar/data_batch_2.bin", (record * 16)[:-1])
        self.refuse_train(deck=deck, says=["data_batch_2.bin"])
        self.write("cifar/data_batch_2.bin", record * 15 + bytes([10]) + bytes(3072))
        self.refuse_train(deck=deck, says=["cifar", "label 10 of sample 31"])
        self.write("cifar/data_batch_2.bin", record * 16)
        (self.folder / "cifar/data_batch_3.bin").unlink()
        self.refuse_train(deck=deck, says=["has data_batch_4.bin, but no data_batch_3.bin"])
        self.refuse_train("data.samples=33", deck=deck, says=["the 32 samples", "data_batch_3.bin is missing"])
        for path in (self.folder / "cifar").iterdir():
            path.unlink()
        self.refuse_train(deck=deck, says=["data_batch_1.bin"])

    def test_image_folders(self):
        deck = self.data_deck(set="images", path=str(self.folder / "images"), size=4, resize="none")
        for image in range(40):
            self.write(f"images/{'ab'[image // 20]}/{image}.jpg", b"\x89PNG")
        for ranks in (0, 2, 3):
            self.refuse_train(deck=deck, says=["images/a/0.jpg", "no JPEG"], ranks=ranks)
        self.refuse_train("data.labels=[1]", "data.first=19", deck=deck, says=["images/b/39.jpg"])
        self.refuse_train("data.labels=[2]", deck=deck, says=["data.labels", "0 to 1"])
        self.refuse_train("data.resize=3", deck=deck, says=["data.resize", "data.size (4)"])
        for image in range(20):
            (self.folder / f"images/a/{image}.jpg").unlink()
        self.refuse_train(deck=deck, says=["images/a is empty"])
        (self.folder / "images/a").rmdir()
        self.refuse_train(deck=deck, says=["one class folder only"])
        self.refuse_train("--dry-run", deck=deck, says=["one class folder only"])
        self.refuse_train(f"data.path={self.folder / 'nowhere'}", deck=deck, says=["data.path", "nowhere"])

    def test_texts(self):
        deck = self.data_deck(set="text", path=str(self.write("text.txt", "abcabc" * 11)))
        self.refuse_train(deck=deck, says=["model.kind: mlp takes numbers"])
        self.refuse_train("data.length=66", deck=deck, says=["data.length", "66 characters", "text.txt"])
        self.refuse_train("data.test_samples=1", deck=deck, says=["data.test_samples", "text.txt"])
        self.write("text.txt", b"abc\xff" * 66)
        self.refuse_train(deck=deck, says=["text.txt", "UTF-8", "byte 3"])

    def test_standardize(self):
        with h5py.File(self.folder / "data.h5", "w") as file:
            file["x"], file["y"] = np.ones((64, 1, 2, 3)), np.arange(64) % 3
        deck = self.data_deck(set="hdf5", path=str(self.folder / "data.h5"))
        self.refuse_train("data.standardize=imagenet", deck=deck, says=["data.standardize", "data.h5", "real numbers"])
        self.refuse_train("data.standardize=imagenet", says=["data.standardize", "three channels", "has 5"])
        self.refuse_train("data.standardize=chanel", says=["data.standardize", "channel"])
        self.refuse_train("data.labels=[1, 1]", deck=deck, says=["data.labels", "twice"])
        self.refuse_train("data.labels=[1, 3]", deck=deck, says=["data.labels: 3", "data.h5", "0 to 2"])

    def test_hdf5_files(self):
        path = self.folder / "data.h5"
        x, y = np.ones((64, 5)), np.arange(64) % 3
        def file(**datasets):
            with h5py.File(path, "w") as opened:
                for name, values in datasets.items():
                    opened[name] = values
        deck = self.data_deck(set="hdf5", path=str(path))
        refuse = lambda *says, overrides=(), ranks=0: self.refuse_train(*overrides, deck=deck, says=says, ranks=ranks)
        refuse("data.h5")
        file(x=x, y=y)
        refuse("data.h5", "2", overrides=["data.classes=2"])
        refuse("data.samples", "65", overrides=["data.samples=65"])
        refuse("data.first", "64", overrides=["data.first=64"])
        refuse("run.block", overrides=["run.block=64"], ranks=2)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        refuse("data.h5: it is damaged")
        path.write_bytes(b"not HDF5 at all" * 100)
        refuse("data.h5", ranks=2)
        file(x=x)
        refuse("data.h5", "y")
        file(x=x, y=y[:-1])
        refuse("data.h5", "63")
        file(x=x, y=y - 1)
        refuse("data.h5", "-1")

    def test_numbers(self):
        """NaN, infinity and what the precision cannot hold are named by dataset and sample, before any training."""
        x, y = np.random.default_rng(0).normal(size=(64, 5)), np.arange(64) % 3
        path = self.folder / "data.h5"
        deck = self.data_deck(set="hdf5", path=str(path))
        for name in ("x", "x_test"):
            for value, says, single_only in ((np.nan, "NaN", False), (-np.inf, "infinity", False),
                                             (1e39, "1e+39, beyond single precision", True)):
                odd = x.copy()
                odd[57, 2] = value  # of the last rank
                with h5py.File(path, "w") as file:
                    file["x"], file["y"], file["x_test"], file["y_test"] = x, y, x, y
                    del file[name]
                    file[name] = odd
                for ranks in (0, 3) if name == "x" else (0,):
                    self.refuse_train("run.precision=single", deck=deck, ranks=ranks,
                                      says=[f"data.h5:/{name}: sample 57 holds {says}"])
                if not single_only:
                    self.refuse_train("data.standardize=pixel", deck=deck, says=[f"/{name}: sample 57 holds {says}"])
                    self.refuse_train("batch.size=16", deck=deck, says=[f"/{name}: sample 57 holds {says}"])
            self.train("data.samples=57", "measure.evaluation.every=0", "run.steps=1", deck=deck, directory=f"fine-{name}")

    def test_values_that_are_not_there(self):
        path, y = self.folder / "data.h5", np.arange(64) % 3
        deck = self.data_deck(set="hdf5", path=str(path))
        with h5py.File(self.folder / "half.h5", "w") as file:
            file["x"] = np.ones((32, 5))
        layout = h5py.VirtualLayout((64, 5), "f8")
        layout[:32], layout[32:] = (h5py.VirtualSource(name, "x", shape=(32, 5)) for name in ("half.h5", "gone.h5"))
        with h5py.File(path, "w") as file:
            file.create_virtual_dataset("x", layout, fillvalue=0.0)
            file["y"] = y
        for more in ([], ["--dry-run"], ["data.samples=16"]):
            self.refuse_train(*more, deck=deck, says=["data.h5:/x", "gone.h5"])
        with h5py.File(path, "w") as file:
            file["y"] = y
            file.create_dataset("x", (64, 5), "f8", external=[(str(self.folder / "raw"), 0, h5py.h5f.UNLIMITED)])
        (self.folder / "raw").unlink(missing_ok=True)
        self.refuse_train(deck=deck, says=["data.h5:/x", str(self.folder / "raw"), "No such file"])
        self.write("raw", bytes(64 * 5 * 8 - 1))
        self.refuse_train(deck=deck, says=["data.h5:/x", str(self.folder / "raw"), "truncated"])
        with h5py.File(path, "w") as file:
            file["y"] = y
            file.create_dataset("x", data=np.ones((64, 5)), compression="lzf", chunks=(7, 5))
        self.refuse_train(deck=deck, says=["data.h5:/x", "filter lzf"])

    def test_labels(self):
        path, y = self.folder / "data.h5", np.arange(64) % 3
        for kind, label in (("u8", 2**63 + 1), ("u8", 2**64 - 1), ("u4", 2**32 - 1), ("i8", -2**63), ("i1", -1)):
            labels = y.astype(kind)
            labels[5] = label
            with h5py.File(path, "w") as file:
                file["x"], file["y"] = np.ones((64, 5)), labels
            self.refuse_train(deck=self.data_deck(set="hdf5", path=str(path)), says=["/y", f"label {label} of sample 5"])

    def test_layout(self):
        path = self.folder / "data.h5"
        with h5py.File(path, "w") as file:
            file["x"], file["y"] = np.ones((64, 5)), np.arange(64) % 3
        deck = self.data_deck(set="hdf5", path=str(path))
        self.refuse_train("data.layout=nchw", deck=deck, says=["data.layout", "data.h5:/x", "[64, 5]"])
        self.refuse_train("data.layout=chwn", deck=deck, says=["data.layout", "chwn", "nhwc"])
        self.refuse_train("data.layout=nchw", says=["data.layout"])  # of another set
        images = self.write("resnet.yaml", json.dumps({**DECK, "data": {"set": "hdf5", "path": str(path)},
                                                       "model": {"kind": "resnet34"}}))
        self.refuse_train(deck=images, says=["model.kind: resnet34", "[5]", "data.h5"])

    def test_directories(self):
        self.write("file", "")
        self.refuse_train(directory="file", says=["file", "directory"])
        self.refuse_train(directory="file/below", says=["file"])
        self.refuse("train", self.deck, "-d", "/proc/onedge", says=["/proc"])
        self.refuse("train", self.deck, "-d", "/proc/onedge", says=["/proc"], ranks=2)
        self.refuse("train", self.deck, "--dry-run", "-d", self.folder / "file", says=["file"])
        self.refuse("train", self.deck, "output.directory=''", says=["output.directory", "empty"])
        self.write("foreign/notes.txt", "mine")
        for more in ([], ["--dry-run"], ["--fresh"]):
            self.refuse_train(*more, directory="foreign", says=["foreign"])
        self.write("foreign/run.log", "of another program")
        self.refuse_train(directory="foreign", says=["foreign"])

    def test_deck_of_another_model(self):
        self.train("run.steps=4")
        for ranks in (0, 2):
            self.refuse_train("model.hidden=[9]", says=["model.hidden", "[7]", "[9]"], ranks=ranks)
        self.refuse_train("run.steps=9", "tuner.sigma=2.0", says=["tuner.sigma"])
        self.refuse_train("run.steps=9", "run.seed=1", says=["run.seed"])
        self.refuse_train("run.steps=9", "run.precision=single", says=["run.precision"])
        self.refuse_train("run.steps=9", "data.samples=56", says=["data.samples"])
        self.refuse_train("run.steps=9", deck=self.write("other.yaml", json.dumps({**DECK, "tuner": {"kind": "polyak"}})),
                          says=["tuner.kind", "cdat", "polyak"])
        self.refuse_train("run.steps=9", "model.hidden=[9]", "--dry-run", says=["model.hidden"])
        (self.folder / "run/trajectory.h5").unlink()  # only checkpoints are left
        self.refuse_train("model.hidden=[9]", says=["model.hidden", "checkpoint"])

    def test_initial_weights(self):
        self.train("run.steps=1", directory="source")
        checkpoint = self.folder / "source/checkpoint-00000001.h5"
        refuse = lambda path, *says, more=(), ranks=0: self.refuse_train(
            f"model.initial={path}", *more, says=says, ranks=ranks)
        refuse(self.folder / "absent.h5", "absent.h5")
        refuse(checkpoint, "checkpoint-00000001.h5", "dense_0/kernel", more=["model.hidden=[9]"])
        refuse(checkpoint, "checkpoint-00000001.h5", more=["model.hidden=[7, 7]"], ranks=2)
        refuse(checkpoint, "checkpoint-00000001.h5", more=["model.hidden=[7, 7]", "--dry-run"])
        refuse(self.write("damaged.h5", checkpoint.read_bytes()[:-2000]), "damaged.h5")
        refuse(self.deck, "deck.yaml")
        with h5py.File(self.folder / "other.h5", "w") as file:
            file["weights"] = np.ones(3)
        refuse(self.folder / "other.h5", "other.h5", "parameters")

    def test_damaged_run(self):
        """Where nothing whole is left to go on from, nothing is overwritten."""
        self.train("run.steps=4")
        files = [*sorted((self.folder / "run").glob("checkpoint-*.h5")), self.folder / "run/trajectory.h5"]
        whole = [file.read_bytes() for file in files]
        damage = lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        says = ["no whole checkpoint", *(file.name for file in files[:-1])]
        for file in files[:-1]:
            damage(file)
        self.refuse_train("run.steps=6", says=says)
        damage(files[-1])
        for ranks in (0, 2):
            self.refuse_train("run.steps=6", ranks=ranks, says=[*says, "trajectory.h5"])
        for file, contents in zip(files, whole):
            file.write_bytes(contents)
        self.train("run.steps=6")


if __name__ == "__main__":
    unittest.main()
