"""The arrows of the house: check_includes.py ROOT FOLDER… with the folders lowest first.

A folder of include/onedge and src includes only itself and folders before it; optimizer and tuner do not know each
other. Quoted includes stay within their folder, and no header includes itself around a corner. Each large library is
behind one folder, or few; app may ask all of them for their versions.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
STRANGERS = {("optimizer", "tuner"), ("tuner", "optimizer")}
# Headers of a library → the folders that may know it.
BEHIND = {
    r"mpi\.h": {"comm"},
    r"hdf5(_hl)?\.h|H5.*\.h": {"hdf5", "data"},
    r"yaml-cpp/.*": {"config"},
    r"zlib\.h": {"data", "hdf5"},
    r"Random123/.*": {"core"},
    r"(oneapi/)?dnnl.*|cblas\.h|cublas.*": {"linalg"},
    r"Anasazi.*|Teuchos.*": {"spectrum"},
    r"CLI/.*": set(),
    r"spdlog/.*": {"training"},
    r"Kokkos_.*": {"core"},
}


def sources(root):
    """(folder, path) of every source and header."""
    for top in (root / "include" / "onedge", root / "src"):
        for path in sorted(top.rglob("*")):
            if path.suffix in (".hpp", ".cpp"):
                yield path.relative_to(top).parts[0], path


def includes(path):
    """(line number, quoted, name) of every include."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found[1] == '"', found[2]


def check_arrow(root, folder, folders, quoted, name):
    """What is wrong with an include in a folder, or None."""
    if quoted:
        return f'"{name}" leaves its folder' if "/" in name else None
    if not name.startswith("onedge/"):
        for pattern, allowed in BEHIND.items():
            if re.fullmatch(pattern, name) and folder not in allowed | {"app"}:
                return f"<{name}> is known to {' and '.join(sorted(allowed | {'app'}))} only"
        return None
    target = name.split("/")[1]
    if not (root / "include" / name).exists():
        return f"<{name}> does not exist"
    if target not in folders:
        return f"<{name}>: {target} is not a folder of the house"
    if folders.index(target) > folders.index(folder) or (folder, target) in STRANGERS:
        return f"<{name}> points up: {folder} may not know {target}"
    return None


def find_cycle(graph):
    """A list of nodes that leads back to its first, or None."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node) :] + [node]
        if node in done:
            return None
        path.append(node)
        for following in graph.get(node, ()):
            cycle = visit(following)
            if cycle:
                return cycle
        path.pop()
        done.add(node)
        return None

    for node in graph:
        cycle = visit(node)
        if cycle:
            return cycle
    return None


def check(root, folders):
    """One line for each thing that is wrong, and the number of files."""
    problems, graph, count = [], {}, 0
    for folder, path in sources(root):
        if path.parent == root / "src":
            continue
        count += 1
        if folder not in folders:
            problems.append(f"{path.relative_to(root)}: {folder} is not a folder of the house")
            continue
        for number, quoted, name in includes(path):
            wrong = check_arrow(root, folder, folders, quoted, name)
            if wrong:
                problems.append(f"{path.relative_to(root)}:{number}: {wrong}")
            if path.suffix == ".hpp":
                target = path.parent / name if quoted else root / "include" / name
                if target.exists():
                    graph.setdefault(path.resolve(), []).append(target.resolve())
    cycle = find_cycle(graph)
    if cycle:
        problems.append("headers include each other: " + " → ".join(str(item.name) for item in cycle))
    return problems, count


def main():
    problems, count = check(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:])
    print(*problems, f"{count} files, {len(problems)} problems", sep="\n")
    return 1 if problems or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
