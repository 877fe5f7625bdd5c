#!/usr/bin/env python3
"""Verifies an export of the audit log, with nothing but the export.

    tenant-gateway audit export | verify_export.py
    verify_export.py 2026-11-27.ndjson 2026-11-28.ndjson

Reads the files line by line, in the order given. A file may begin with records of the files before
it, as exports that overlap do; nowhere else may a record be repeated. Prints for each tenant the
first and the last position, the hash of the last record, and the number of lines outside of the
chain. Exit status 1 if a record was changed, removed, inserted or moved: see docs/audit-log.md.
"""

import collections
import fileinput
import hashlib
import json


def unambiguous(members):
    """An object whose names are distinct: two readers could take different ones of equal names."""
    if len(members) != len({name for name, _ in members}):
        raise ValueError("a name is repeated in an object")
    return dict(members)


def canonical(value):
    """JSON as RFC 8785 writes it. Audit records have no fractions."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{%s}" % ",".join(f"{canonical(name)}:{canonical(of)}" for name, of in members)
    if isinstance(value, list):
        return "[%s]" % ",".join(map(canonical, value))
    if isinstance(value, float):
        raise ValueError("a record has a fraction")
    return json.dumps(value, ensure_ascii=False)


class Chain:
    """A tenant's chain, as far as it was read, with the hashes of its newest records."""

    def __init__(self):
        self.file = None
        self.first = self.newest = self.unchained = 0
        self.is_compared = True
        self.recent = collections.deque(["0" * 64], maxlen=100)

    def add(self, record, file):
        hashed = {name: value for name, value in record.items() if name != "hash"}
        if hashlib.sha256(canonical(hashed).encode()).hexdigest() != record["hash"]:
            raise ValueError("the record does not match its hash")
        position, previous = record["position"], record["previousHash"]
        if self.file != file:
            self.end()
            self.file, self.last, self.hash = file, self.newest, self.recent[-1]
            if position <= self.newest or self.newest == 0 and position > 1:
                self.last, self.hash = position - 1, previous
        if (position, previous) != (self.last + 1, self.hash):
            raise ValueError(f"the record does not follow the one at position {self.last}")
        self.last, self.hash = position, record["hash"]
        if position > self.newest:
            self.recent = self.recent if self.first else collections.deque(maxlen=100)
            self.recent.append(self.hash)
            self.first, self.newest = self.first or position, position
        # A hash depends on all before it: what is repeated is the same if its last record is.
        back = self.newest - position + 1
        self.is_compared = back <= len(self.recent)
        if self.is_compared and self.recent[-back] != self.hash:
            raise ValueError("the record differs from the one that was read at its position")

    def end(self):
        if not self.is_compared:
            raise ValueError(f"records are repeated, but not up to position {self.newest}")
        return f"{self.first} {self.newest} {self.recent[-1]} {self.unchained}"


def main():
    chains, lines = collections.defaultdict(Chain), fileinput.input(encoding="utf-8")
    try:
        for line in lines:
            record = json.loads(line, object_pairs_hook=unambiguous)
            chain = chains[record["tenantID"]]
            if record["position"] is None:
                chain.unchained += 1
            else:
                chain.add(record, lines.lineno() - lines.filelineno())
        print("".join(f"{tenant} {chains[tenant].end()}\n" for tenant in sorted(chains)), end="")
    except (ValueError, KeyError, TypeError) as problem:
        raise SystemExit(f"{lines.filename()}:{lines.filelineno()}: {problem}") from None


if __name__ == "__main__":
    main()
