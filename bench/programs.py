"""The programs that compare.py times: what they run, how they are asked, what memory they took."""

import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import time

BENCH = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Model:
    """A network and the samples that it is trained on."""

    name: str
    kind: str
    samples: int
    sample: list  # its shape, channels last; of text its length
    block: int

    def options(self):
        return ["--model", self.kind, "--samples", str(self.samples),
                "--sample", ",".join(str(extent) for extent in self.sample)]


MODELS = (Model("MLP 3072-256-256-256-10, 4096 samples", "mlp", 4096, [3072], 64),
          Model("ResNet34, 128 images 32×32", "resnet34", 128, [32, 32, 3], 16),
          Model("ResNet50-LN, 128 images 32×32", "resnet50", 128, [32, 32, 3], 16),
          Model("Mixer Ti/8, 256 images 32×32", "mixer_ti8", 256, [32, 32, 3], 16),
          Model("ViT Ti/32, 64 images 224×224", "vit_ti32", 64, [224, 224, 3], 16),
          Model("NanoLM, 128 windows of 64", "nanolm", 128, [64], 16))


class Program:
    """A program that times steps on request: "MODE STEPS" in, one line of JSON out."""

    def __init__(self, name, command):
        self.name, self.failures = name, {}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with exit code {self.process.wait()}")
        return json.loads(line)

    def request(self, mode, steps):
        self.process.stdin.write(f"{mode} {steps}\n")
        self.process.stdin.flush()

    def seconds(self, mode, steps):
        """Median seconds of a step; None, and why in `failures`, when the program cannot make it."""
        if mode in self.failures:
            return None
        self.request(mode, steps)
        answer = self.read()
        if "error" in answer:
            self.failures[mode] = answer["error"]
            return None
        return statistics.median(answer["seconds"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


MPIRUN = ["mpirun", *(["--allow-run-as-root"] if os.geteuid() == 0 else []), "--bind-to", "none"]


def on_cores(cores, command):
    """One rank of the command on each of the given cores."""
    ranks = []
    for core in cores:
        ranks += [":"] if ranks else []
        ranks += ["-n", "1", "taskset", "-c", str(core), *command]
    return [*MPIRUN, *ranks]


def onedge(build, model, cores, *options):
    command = [str(build / "bench" / "onedge_bench_step"), *model.options(), "--block", str(model.block), *options]
    return Program(f"OnEdge on {len(cores)} ranks", on_cores(cores, command))


PEERS = {"PyTorch": ("torch", "peer_pytorch.py", []),
         "PyTorch, torch.compile": ("torch", "peer_pytorch.py", ["--compile"]),
         "PyTorch, channels last": ("torch", "peer_pytorch.py", ["--channels-last"]),
         "JAX, jit": ("jax", "peer_jax.py", [])}


def peer(name, python, model, cores):
    """The peer, or why there is none. It has `version` and `modes`."""
    package, script, options = PEERS[name]
    if subprocess.run([python, "-c", f"import {package}"], capture_output=True).returncode != 0:
        return None, f"{name}: skipped, {python} has no {package}"
    command = ["taskset", "-c", ",".join(map(str, cores)), python, str(BENCH / script), *model.options(),
               "--threads", str(len(cores)), *options]
    program = Program(name, command)
    try:
        first = program.read()
    except RuntimeError as error:
        return None, f"{name}: skipped, {error}"
    program.version, program.modes = first["version"], first["modes"]
    return program, f"{name} ({program.version})"


class Rounds:
    """Seconds of a step, per round, by what was measured."""

    def __init__(self):
        self.values = {}

    def add(self, name, seconds):
        self.values.setdefault(name, []).append(seconds)

    def milliseconds(self, name):
        return 1e3 * statistics.median(self.values[name]) if name in self.values else float("nan")

    def ratio(self, over, under):
        if over not in self.values or under not in self.values:
            return float("nan")
        return statistics.median(a / b for a, b in zip(self.values[over], self.values[under]))

    def fastest(self, names):
        known = [name for name in names if name in self.values]
        return min(known, key=self.milliseconds) if known else None


def alternate(turns, rounds, steps, warm_up=1):
    """turns: (name, program, mode). All in turn, there and back again."""
    result = Rounds()
    for index in range(-warm_up, rounds):
        for name, program, mode in turns if index % 2 == 0 else reversed(turns):
            seconds = program.seconds(mode, steps)
            if index >= 0 and seconds is not None:
                result.add(name, seconds)
            time.sleep(0.02)  # until idle threads stop spinning
    return result


def peak_mebibytes(program):
    """The most memory that a program and what it started have held, added up; mpirun itself is not counted."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = dict(line.split(":", 1) for line in (entry / "status").read_text().splitlines() if ":" in line)
                children.setdefault(int(status["PPid"]), []).append((int(entry.name), status["Name"].strip(),
                                                                     int(status.get("VmHWM", "0 kB").split()[0])))
            except (OSError, KeyError):
                continue  # it has ended meanwhile
    total, waiting = 0, [program.process.pid]
    own = pathlib.Path(f"/proc/{program.process.pid}/status").read_text()
    if "mpirun" not in own.splitlines()[0]:
        total += int(own.split("VmHWM:")[1].split()[0])
    while waiting:
        for child, name, peak in children.get(waiting.pop(), []):
            waiting.append(child)
            total += peak if name != "orted" else 0
    return total / 1024
