"""Processes, as /proc shows them."""
from pathlib import Path


def ranks_of(directory):
    """{rank: process} of the program's ranks whose command line names this run directory."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if str(directory).encode() not in (folder / "cmdline").read_bytes().split(b"\0"):
                continue
            for entry in (folder / "environ").read_bytes().split(b"\0"):
                if entry.startswith(b"OMPI_COMM_WORLD_RANK="):
                    found[int(entry.split(b"=")[1])] = int(folder.name)
        except OSError:
            continue  # it has ended meanwhile
    return found


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False
