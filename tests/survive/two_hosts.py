"""Two hosts on one machine: network namespaces joined by a cable (veth), each with its own host name, and mpirun between
them over TCP. The bits are those of one host, and cutting the cable ends the job. Needs root."""
import shutil
import subprocess
import time

from processes import alive, ranks_of
from survive import check_directory, differences, main, require, skip_unless

import h5py

PATIENCE = 60
HOSTS = ("onedge-a", "onedge-b")
# What ssh does between real hosts: mpirun calls AGENT HOST COMMAND for the one host that is not its own.
AGENT = """#!/bin/sh
shift
exec ip netns exec onedge-b unshare --uts sh -c "hostname onedge-b; $*"
"""
# Without the three of keep-alive, mpirun waits for minutes before it believes that the other host is gone.
MPI = {"btl": "self,tcp", "btl_tcp_if_include": "10.77.0.0/24", "oob_tcp_if_include": "10.77.0.0/24",
       "oob_tcp_keepalive_time": 5, "oob_tcp_keepalive_intvl": 2, "oob_tcp_keepalive_probes": 3}


def run(*command, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=30, **options)


def lay_cable():
    """Two namespaces, 10.77.0.1 and 10.77.0.2, that know each other by name."""
    commands = [("ip", "link", "add", "onedge-cable-a", "type", "veth", "peer", "name", "onedge-cable-b")]
    for number, host in enumerate(HOSTS, 1):
        inside = ("ip", "-n", host)
        cable = "onedge-cable-" + host[-1]
        commands += [("ip", "netns", "add", host), ("ip", "link", "set", cable, "netns", host),
                     (*inside, "address", "add", f"10.77.0.{number}/24", "dev", cable),
                     (*inside, "link", "set", cable, "up"), (*inside, "link", "set", "lo", "up")]
    for command in commands:
        done = run(*command)
        skip_unless(done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()}")


def remove_cable():
    for host in HOSTS:
        run("ip", "netns", "delete", host)
    run("ip", "link", "delete", "onedge-cable-a")


def command_on_both(job, *arguments):
    agent = job.folder / "agent.sh"
    agent.write_text(AGENT)
    agent.chmod(0o755)
    options = [word for key, value in {**MPI, "plm_rsh_agent": agent}.items() for word in ("-mca", key, value)]
    here = ["ip", "netns", "exec", "onedge-a", "unshare", "--uts", "sh", "-c", 'hostname onedge-a; exec "$@"', "sh"]
    mpirun, *rest = job.command(*arguments, ranks=2)
    return [*map(str, [*here, mpirun, "--host", "10.77.0.1:1,10.77.0.2:1", *options, *rest])]


def hosts_of(path):
    with h5py.File(path, "r") as file:
        return file["segments/hosts"].asstr()[0]


def compare(job, deck):
    """Both runs to their end; the same bits."""
    job.train(deck, "one", ranks=2)
    job.finish(command_on_both(job, "train", deck, "-d", job.folder / "two"), 120)
    one, two = job.folder / "one/trajectory.h5", job.folder / "two/trajectory.h5"
    require(two.exists(), "no run on two hosts")
    require(hosts_of(two) == ",".join(HOSTS), "the hosts were", hosts_of(two))
    found = differences(one, two)
    require(not found, "two hosts differ from one in", found)


def cut(job, deck, folder):
    """Starts a long run, cuts the cable, returns (seconds until mpirun and all ranks were gone, what was said)."""
    with open(job.folder / "output", "w+") as output:
        running = subprocess.Popen(command_on_both(job, "train", deck, "run.steps=100000000", "-d", folder), cwd=job.folder,
                                   stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            deadline = time.monotonic() + 60
            while len(list(folder.glob("checkpoint-*.h5"))) < 2:
                require(time.monotonic() < deadline and running.poll() is None, "the run does not start")
                time.sleep(0.1)
            ranks = ranks_of(folder).values()
            require(len(ranks) == 2, "there are", len(ranks), "ranks")
            require(run("ip", "-n", "onedge-a", "link", "set", "onedge-cable-a", "down").returncode == 0, "cannot cut")
            began = time.monotonic()
            running.wait(timeout=PATIENCE)
            while any(alive(pid) for pid in ranks):
                require(time.monotonic() - began < PATIENCE, "a rank lives on", PATIENCE, "s after the cut")
                time.sleep(0.1)
            took = time.monotonic() - began
        finally:
            running.kill()
            running.wait()
        output.seek(0)
        return took, output.read()


def test(job):
    skip_unless(shutil.which("ip"), "no ip (package iproute2)")
    remove_cable()
    try:
        lay_cable()
        deck = job.deck(output={"publish": 0.2, "checkpoint": {"every": 10}})
        compare(job, deck)
        took, said = cut(job, deck, job.folder / "cut")
    finally:
        remove_cable()
    require("lost communication" in said and "10.77.0.2" in said, "the job ended without a message:\n", said)
    check_directory(job.folder / "cut")
    settings = " ".join(f"{key}={value}" for key, value in MPI.items() if "keepalive" in key)
    return f"""One rank on each of two hosts (network namespaces with host names of their own, joined by a virtual
cable, TCP between them): the same bits as two ranks on one host. After the cable was cut, mpirun and both ranks were
gone within {took:.1f} s (60 s are allowed), mpirun named the host that it had lost, and all files were whole. This
takes keep-alive messages of mpirun's own connections, which are off by default: OMPI_MCA_*: {settings}."""


if __name__ == "__main__":
    main("Two hosts", 1, test, __doc__)
