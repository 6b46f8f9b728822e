"""scaling.py on runs made here, whose times follow its formula. Exit code 77: a package is missing."""
import csv
import sys
import unittest
from pathlib import Path

from test_postprocess import InFolder, run_script, write_table

import h5py
import numpy as np

import scaling

FIXED, PER_SAMPLE, BANDWIDTH, PARAMETERS, BLOCK = 2e-3, 1e-4, 1e9, 1_000_000, 64
DECK = "run: {{name: run, block: 64}}\nmodel: {{kind: {model}}}\ntuner: {{kind: cdat, sigma: 2.0}}\n"


def write_run(folder, ranks, samples, model="mlp", profiled=True, parameters=PARAMETERS):
    """Ten steps as the formula has them, the first of which was slow."""
    compute = FIXED + PER_SAMPLE * -(-samples // BLOCK // ranks) * BLOCK
    communication = 0 if ranks == 1 else 4 * parameters * 2 * (ranks - 1) / ranks / BANDWIDTH
    folder = Path(folder)
    folder.mkdir(parents=True)
    with h5py.File(folder / "trajectory.h5", "w") as file:
        file.attrs.update({"format_version": 1, "deck": DECK.format(model=model), "status": "finished", "precision": "single",
                           "parameters": parameters, "samples": samples, "software_version": "0.1.0"})
        seconds = np.full(10, compute + communication)
        seconds[0] *= 5
        write_table(file, "steps", np.arange(10), {"seconds": seconds})
        segments = file.create_group("segments")
        segments["ranks"] = [ranks]
        warnings = file.create_group("warnings")
        warnings["step"], warnings["message"] = np.zeros(0, int), np.zeros(0, h5py.string_dtype())
        if profiled:
            profile = file.create_group("profile")
            step = scaling.STEP
            names = [step, f"{step} > onedge::Objective::gradient > onedge::Communicator::all_reduce"]
            profile["region"] = np.array(names, dtype=h5py.string_dtype())
            profile["calls"], profile["seconds"] = [10, 30], [10 * (compute + communication), 10 * communication]
    return folder


class Scaling(InFolder):
    def runs(self):
        for ranks, samples in ((1, 4096), (1, 1024), (2, 4096), (4, 4096)):
            write_run(self.folder / f"runs/{ranks}-{samples}", ranks, samples)
        return self.folder / "runs"

    def test_the_formula_is_found_again(self):
        measured = [scaling.Measured.of(run) for run in scaling.sweep.collect([self.runs()]).runs]
        step = scaling.fit(measured, np.inf)
        self.assertAlmostEqual(step.fixed, FIXED, places=9)
        self.assertAlmostEqual(step.per_sample, PER_SAMPLE, places=12)
        network = scaling.measured_network(measured, step, np.inf)
        self.assertAlmostEqual(network.bandwidth / BANDWIDTH, 1, places=9)
        for row in scaling.check_rows(measured, step, network, np.inf):
            self.assertAlmostEqual(row["predicted / measured"], 1, places=9)

    def test_ranks_get_whole_blocks(self):
        step = scaling.Step(0, 1, 3, 10, 4, 1000, 64)  # 16 blocks, the last of 40
        self.assertEqual([step.most_samples(ranks) for ranks in (1, 2, 3, 15, 16)], [1000, 512, 384, 128, 64])

    def test_latency_counts_by_hops_and_cores_are_shared(self):
        step = scaling.Step(1.0, 0, 3, 0, 4, 1000, 64)
        self.assertAlmostEqual(step.communication(9, scaling.Network(0.1, 1e9)), 3 * 0.1 * 2 * 4)
        self.assertEqual(step.compute(4, cores=2), 2.0)
        self.assertEqual(step.compute(2, cores=2), 1.0)

    def test_what_does_not_fit_is_cut_into_micro_batches(self):
        bytes_of = (100, 10)  # fixed, per sample
        parts = lambda samples, limit: scaling.micro_batches(samples, 4, bytes_of, limit)
        self.assertEqual([parts(40, np.inf), parts(40, 500), parts(40, 499), parts(40, 140)], [1, 1, 2, 10])
        with self.assertRaisesRegex(scaling.InputError, "block of 4 samples"):
            parts(40, 139)
        step = scaling.Step(0, 1, 3, 10, 4, 80, 4)
        row, = scaling.predictions(step, scaling.Network(0, 1e9), [2], bytes_of=bytes_of, limit=499)
        self.assertEqual((row["micro-batches"], row["MiB per rank"]), (2, (100 + 10 * 20) / 2**20))

    def test_predictions_are_printed_and_written(self):
        table = self.folder / "scaling.csv"
        done = run_script("scaling.py", self.runs(), "--ranks", 8, 64, 4096, "--latency", "1e-5", "--bandwidth", "1e10",
                          "--csv", table)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("more ranks than the 64 blocks", done.stdout)
        checked = done.stdout.split("the runs themselves\n")[1].splitlines()[1:5]  # with the network that they measured
        self.assertEqual([line.split()[-1] for line in checked], ["1"] * 4)
        with table.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["ranks"] for row in rows], ["8", "64"])
        self.assertAlmostEqual(float(rows[0]["ms compute"]), 1e3 * (FIXED + 512 * PER_SAMPLE), places=6)
        communication = 3 * 1e-5 * 2 * 3 + 4 * PARAMETERS * 2 * 7 / 8 / 1e10
        self.assertAlmostEqual(float(rows[0]["ms communication"]), 1e3 * communication, places=6)
        whole = run_script("scaling.py", self.folder / "runs", "--ranks", 4096, "--block", 1, "--samples", 50000)
        self.assertEqual(whole.returncode, 0, whole.stderr)
        self.assertRegex(whole.stdout, r"4096 +13 ")

    def test_mistakes_are_named(self):
        def refuse(text, *arguments):
            done = run_script("scaling.py", *arguments)
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn(text, done.stderr)

        refuse("no profile", write_run(self.folder / "bare", 1, 64, profiled=False))
        one = write_run(self.folder / "one", 1, 1024)
        refuse("--bandwidth", one)
        refuse("different networks", one, write_run(self.folder / "other", 2, 1024, parameters=5))
        refuse("give --block", one, "--bandwidth", "1e9", "--ranks", 4096)
        refuse("no such run", self.folder / "nowhere")


if __name__ == "__main__":
    unittest.main()
