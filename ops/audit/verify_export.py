#!/usr/bin/env python3
"""Verifies an export of the audit log, with nothing but the export.

    tenant-gateway audit export | verify_export.py
    verify_export.py 2026-11-27.ndjson 2026-11-28.ndjson

Files are read in the order given; where one repeats records of the one before, as exports of two
days do around midnight, these are compared. Prints a line for each tenant: the first and the last position,
the hash of the last record, and the number of records outside of the chain. Exit status 1 if a
record was changed, removed, inserted or moved. docs/audit-log.md describes the algorithm.
"""

import collections
import fileinput
import hashlib
import json
import sys

GENESIS = "0" * 64

# Records of a tenant that a later file may repeat.
REPEATED_MAX = 100_000


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


def verify(record, before):
    """Raises ValueError unless the record follows the one before in its tenant's chain."""
    hashed = {name: value for name, value in record.items() if name != "hash"}
    if hashlib.sha256(canonical(hashed).encode()).hexdigest() != record["hash"]:
        raise ValueError("the record does not match its hash")
    if before is None:
        if record["position"] == 1 and record["previousHash"] != GENESIS:
            raise ValueError("the first record follows another one")
    elif record["position"] != before["position"] + 1:
        raise ValueError(f"position {before['position'] + 1} is missing")
    elif record["previousHash"] != before["hash"]:
        raise ValueError("the record does not hold the hash of the record before it")


def is_repeated(record, before, hashes):
    """Whether the record was read already. Raises ValueError if it was another one."""
    if before is None or record["position"] > before["position"]:
        return False
    back = before["position"] - record["position"] + 1
    if back > len(hashes) or hashes[-back] != record["hash"]:
        raise ValueError("the record stands at a position of an earlier one")
    return True


def main(files):
    first, last, unchained = {}, {}, {}
    hashes = collections.defaultdict(lambda: collections.deque(maxlen=REPEATED_MAX))
    for line in fileinput.input(files, encoding="utf-8"):
        try:
            record = json.loads(line, object_pairs_hook=unambiguous)
            tenant = record["tenantID"]
            unchained.setdefault(tenant, 0)
            if record["position"] is None:
                unchained[tenant] += 1
                continue
            if is_repeated(record, last.get(tenant), hashes[tenant]):
                verify(record, None)
                continue
            verify(record, last.get(tenant))
            hashes[tenant].append(record["hash"])
        except (ValueError, KeyError, TypeError) as problem:
            print(f"{fileinput.filename()}:{fileinput.filelineno()}: {problem}", file=sys.stderr)
            return 1
        first.setdefault(tenant, record["position"])
        last[tenant] = record
    for tenant in sorted(unchained):
        end = last.get(tenant, {"position": 0, "hash": GENESIS})
        print(tenant, first.get(tenant, 0), end["position"], end["hash"], unchained[tenant])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
