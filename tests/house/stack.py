# SPDX-License-Identifier: MIT
"""Prints the deepest stack of each public call, from the call graphs that gcc writes
(-fcallgraph-info=su).

    stack.py --calls TABLE --header latchkey.h FILE.ci...

A call through a pointer reaches every function that a table of the core puts into that member
(".check = name"). What leaves the core (storage, port, the application's callbacks) and functions
of the C library are stated in TABLE, one statement a line, `#` begins a comment:

    outside NAME MEMBER...    calls through these members leave the core; the report names NAME.
                              A member is its last name, or the last two: get, ops.get, ops.*
    reach MEMBER FUNCTION...  calls through this parameter reach these functions of the core
    leaf BYTES FUNCTION...    functions without a graph, and what they need at most
    depth N FUNCTION          a cycle that goes through FUNCTION is entered at most N times

A cycle or a call that is not covered is an error: a bound that is not known is not a bound.
"""
import argparse
import fnmatch
import pathlib
import re
import sys

NODE = re.compile(r'node: { title: "([^"]+)" label: "([^"]+)"(.*)}')
EDGE = re.compile(r'edge: { sourcename: "([^"]+)" targetname: "([^"]+)" label: "([^"]*)" }')
ASSIGNED = re.compile(r"\.(\w+)\s*=\s*&?(\w+)\s*[,}]")
THROUGH = re.compile(r"[&*(]*([\w\[\].]+?(?:(?:->|\.)[\w\[\]]+)*)\)?\s*\(")


class Graph:
    def __init__(self):
        self.frame = {}    # function: bytes
        self.calls = {}    # function: set of functions
        self.pointers = []  # (function, place of the call)
        self.outside = {}  # function: set of names
        self.problems = []

    def read(self, path):
        for line in path.read_text().splitlines():
            node = NODE.match(line)
            if node and "shape" not in node.group(3):
                bytes_ = re.search(r"(\d+) bytes \(([^)]+)\)", node.group(2))
                if bytes_:
                    self.frame[node.group(1)] = int(bytes_.group(1))
                    if bytes_.group(2) == "dynamic":
                        self.problems.append(f"{node.group(1)}: its frame has no fixed size")
            edge = EDGE.match(line)
            if edge:
                source, target, place = edge.groups()
                if target == "__indirect_call":
                    self.pointers.append((source, place))
                else:
                    self.calls.setdefault(source, set()).add(target)


def read_table(path):
    outside, reach, leaves, depths = [], {}, {}, {}
    for line in path.read_text().splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "outside":
            outside += [(member, words[1]) for member in words[2:]]
        elif words[0] == "reach":
            reach.setdefault(words[1], set()).update(words[2:])
        elif words[0] == "leaf":
            leaves.update({name: int(words[1]) for name in words[2:]})
        elif words[0] == "depth":
            depths[words[2]] = int(words[1])
        else:
            sys.exit(f"{path}: {line}: not a statement")
    return outside, reach, leaves, depths


def member_at(place):
    """The expression called at "file:line:column", as its last two names joined by a dot."""
    name, line, column = place.rsplit(":", 2)
    text = pathlib.Path(name).read_text().splitlines()
    after = " ".join([text[int(line) - 1][int(column) - 1:]] + text[int(line):int(line) + 2])
    found = THROUGH.match(after)
    if found is None:
        return None
    names = re.split(r"->|\.", re.sub(r"\[[^\]]*\]", "", found.group(1)))
    return ".".join(names[-2:])


def resolve(graph, outside, assigned):
    plain = {}
    for title in graph.frame:
        plain.setdefault(title.split(":")[-1], []).append(title)
    for source, place in graph.pointers:
        member = member_at(place)
        if member is None:
            graph.problems.append(f"{place}: {source} calls through something not understood")
            continue
        where = next((name for pattern, name in outside
                      if fnmatch.fnmatch(member, pattern) or member.split(".")[-1] == pattern), None)
        targets = [title for name in assigned.get(member.split(".")[-1], ())
                   for title in plain.get(name, ())]
        if where is not None:
            graph.outside.setdefault(source, set()).add(where)
        elif targets:
            graph.calls.setdefault(source, set()).update(targets)
        else:
            graph.problems.append(f"{place}: {source} calls through {member}: "
                                  "not in the table, and no table of the core sets it")


def components(calls, nodes):
    """Strongly connected components, callees first (Tarjan, without recursion)."""
    index, low, on, stack, result = {}, {}, set(), [], []
    for root in nodes:
        if root in index:
            continue
        todo = [(root, iter(sorted(calls.get(root, ()))))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        while todo:
            node, rest = todo[-1]
            for target in rest:
                if target not in nodes:
                    continue
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on.add(target)
                    todo.append((target, iter(sorted(calls.get(target, ())))))
                    break
                if target in on:
                    low[node] = min(low[node], index[target])
            else:
                todo.pop()
                if todo:
                    low[todo[-1][0]] = min(low[todo[-1][0]], low[node])
                if low[node] == index[node]:
                    group = []
                    while not group or group[-1] != node:
                        group.append(stack.pop())
                        on.discard(group[-1])
                    result.append(group)
    return result


def deepest(graph, leaves, depths):
    """{function: (bytes, next function on the deepest way, names outside that are reached)}"""
    answer = {}
    for group in components(graph.calls, graph.frame):
        members = set(group)
        cyclic = len(group) > 1 or group[0] in graph.calls.get(group[0], ())
        times = 1
        if cyclic:
            stated = [depths[m.split(":")[-1]] for m in group if m.split(":")[-1] in depths]
            if not stated:
                graph.problems.append("a cycle without a stated depth: " + " ".join(sorted(group)))
            times = max(stated, default=1)
        for function in group:
            best, way, reached = 0, None, set(graph.outside.get(function, ()))
            for exit_ in group if cyclic else [function]:
                reached |= graph.outside.get(exit_, set())
                for target in sorted(graph.calls.get(exit_, set()) - members):
                    if target in answer:
                        below = answer[target][0]
                        reached |= answer[target][2]
                    elif target in leaves:
                        below = leaves[target]
                    else:
                        graph.problems.append(f"{exit_} calls {target}: what it needs is not known")
                        below = 0
                    if below > best:
                        best, way = below, target
            own = times * sum(graph.frame[m] for m in group) if cyclic else graph.frame[function]
            answer[function] = (own + best, way, reached)
    return answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=pathlib.Path, required=True)
    parser.add_argument("--header", type=pathlib.Path, required=True)
    parser.add_argument("graphs", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    outside, assigned, leaves, depths = read_table(arguments.calls)
    graph = Graph()
    sources = set()
    for path in arguments.graphs:
        graph.read(path)
        sources.add(re.match(r'graph: { title: "([^"]+)"', path.read_text()).group(1))
    for source in sources:
        for member, name in ASSIGNED.findall(pathlib.Path(source).read_text()):
            assigned.setdefault(member, set()).add(name)
    resolve(graph, outside, assigned)
    answer = deepest(graph, leaves, depths)

    public = re.findall(r"\b(lk_\w+)\(", arguments.header.read_text())
    print(f"{'call':32} {'bytes':>6}  {'then calls':16} deepest way")
    rows = [(answer[name], name) for name in dict.fromkeys(public) if name in answer]
    for (bytes_, way, reached), name in sorted(rows, key=lambda entry: -entry[0][0]):
        steps, seen = [], {name}
        while way is not None and way not in seen:
            steps.append(way.split(":")[-1])
            seen.add(way)
            way = answer[way][1] if way in answer else None
        print(f"{name:32} {bytes_:6}  {' '.join(sorted(reached)) or '-':16} {' > '.join(steps[:5])}"
              + (" > ..." if len(steps) > 5 else ""))
    for problem in dict.fromkeys(graph.problems):
        print(problem, file=sys.stderr)
    if not rows:
        print("no public call found", file=sys.stderr)
    sys.exit(1 if graph.problems or not rows else 0)


main()
