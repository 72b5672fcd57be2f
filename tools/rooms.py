"""Counts the rooms: for each package, its members, the arrows between them, and the floors they form (grimp's graph).

usage: python tools/rooms.py [PACKAGE ...]      (default: the packages and rooms of the layout)

An arrow: one member imports another, however many imports that takes. Floors: the longest chain of arrows, plus one; a
package whose members import one another in a circle has none.
"""

from __future__ import annotations

import sys
from functools import cache

import grimp

ROOTS = ("chaos", "loadprofiles", "targets", "reports")
SHOWN = ("chaos", "reports", "loadprofiles", "targets", "targets.gateway", "targets.replica")


def counts(graph: grimp.ImportGraph, package: str) -> tuple[int, str, int]:
    """Members, floors ("circle" where there is one) and arrows of a package."""
    members = sorted(graph.find_children(package))
    below: dict[str, set[str]] = {member: set() for member in members}
    owner = {module: member for member in members for module in (member, *graph.find_descendants(member))}
    for module, member in owner.items():
        for imported in graph.find_modules_directly_imported_by(module):
            if imported in owner and owner[imported] != member:
                below[member].add(owner[imported])

    @cache
    def height(member: str) -> int:
        return 1 + max((height(other) for other in below[member]), default=0)

    try:
        floors = str(max(map(height, members), default=0))
    except RecursionError:
        floors = "circle"
    return len(members), floors, sum(map(len, below.values()))


def main(packages: list[str]) -> None:
    """Prints a table."""
    graph = grimp.build_graph(*ROOTS, cache_dir=None)
    print("| package | members | floors | arrows |\n|---|---|---|---|")
    for package in packages or SHOWN:
        members, floors, arrows = counts(graph, package)
        print(f"| {package} | {members} | {floors} | {arrows} |")


if __name__ == "__main__":
    main(sys.argv[1:])
