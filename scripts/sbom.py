"""Cuts a bill of materials by cargo-cyclonedx down to what is linked into the function.

`cargo metadata`, which cargo-cyclonedx asks, counts in what only tests, other packages, compile-time macros and features that are
off would bring. `cargo tree` knows better. References lose the folder that they were made in: the same commit gives the same
bytes anywhere.

sbom.py FUNCTION BILL TREE SOURCES    TREE: `cargo tree --prefix depth`, deduplicated; SOURCES: the folder of the workspace
"""

import json
import re
import sys


def linked(tree, function):
    """The packages below a function in the tree, itself included, each with the set of what it needs. A package is (name, version)."""
    needs, path = {}, []
    for line in filter(str.strip, tree):
        depth, name, version = re.match(r"(\d+)(\S+) v(\S+)", line).groups()
        del path[int(depth) :]
        package = (name, version)
        needs.setdefault(package, set())
        if path:
            needs[path[-1]].add(package)
        path.append(package)
    found, ahead = {}, [package for package in needs if package[0] == function]
    while ahead:
        package = ahead.pop()
        if package not in found:
            found[package] = needs[package]
            ahead.extend(needs[package])
    return found


def main(function, bill, tree, sources):
    with open(bill) as file:
        bom = json.loads(file.read().replace(f"path+file://{sources}/", ""))
    with open(tree) as file:
        packages = linked(file, function)
    named = lambda component: (component["name"], component["version"])
    bom["components"] = [component for component in bom["components"] if named(component) in packages]
    references = {named(component): component["bom-ref"] for component in [bom["metadata"]["component"], *bom["components"]]}
    missing = packages.keys() - references.keys()
    if missing:
        sys.exit(f"The bill of materials of {function} lacks {sorted(missing)}, which cargo tree says is linked into it.")
    bom["dependencies"] = [
        {"ref": references[package], "dependsOn": sorted(references[needed] for needed in packages[package])}
        for package in sorted(packages)
    ]
    json.dump(bom, sys.stdout, indent=2, ensure_ascii=False)
    print()


main(*sys.argv[1:])
