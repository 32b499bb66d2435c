"""Writes what the fuzzing begins with, from the project's own events, policies and scenarios: python3 seeds.py FOLDER

FOLDER/TARGET/ holds inputs, FOLDER/TARGET.dict the words that stand in them. Events that people kept beside the project, in
../shared/events, are read too.
"""

import gzip
import hashlib
import json
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = sorted(path.parent.name for path in PROJECT.glob("crates/*/function.json"))
DEFAULT = {"account": "111122223333", "accounts": ["444455556666"]}
KEYS = [f"access_key_{n}_{what}" for n in (1, 2) for what in ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")]
REPORT = [
    ",".join(["user", "arn", "user_creation_time", *KEYS]),
    "old,arn:aws:iam::111122223333:user/old,2020-01-01T00:00:00+00:00,true,2024-01-31T10:00:00+00:00,2026-11-01T10:00:00+00:00,us-east-1,s3,false,N/A,N/A,N/A,N/A",
    "young,x,2020-01-01T00:00:00+00:00,false,N/A,N/A,N/A,N/A,TRUE,2026-10-31T10:00:00Z,N/A,N/A,N/A",
    "<root_account>,x,2020-01-01T00:00:00+00:00,true,not_supported,no_information,N/A,N/A,false,N/A,N/A,N/A,N/A",
    '"quoted, ""name""",x,2020-01-01T00:00:00+00:00,true,N/A,N/A,N/A,N/A,true,2026-10-31T10:00:00Z,2025-01-01T00:00:00Z,eu-west-1,ec2',
]
STEP = {"key": "stop", "summary": "stop it", "before": "running", "after": "stopped", "change": {"do": "stop", "hibernate": False}}
RECORD = {
    "function": "stop-instance", "place": {"account": "111122223333", "region": "eu-central-1"}, "subject": "i-0123456789abcdef0",
    "cause": {"what": "CryptoCurrency:EC2/BitcoinTool.B", "key": "f1"}, "attempt": 1, "mode": "enforce", "outcome": "contained",
    "why": "GuardDuty", "actor": {"principal": "arn:aws:iam::111122223333:user/x"}, "detail": {"finding": "f1", "severity": 8.0}, "steps": [STEP],
    "notes": ["a note"], "started": "2026-11-01T04:00:00Z", "finished": "2026-11-01T04:00:01.5Z", "contained_ms": 300, "version": 2, "owner": "x",
    "lease": "2026-11-01T04:00:10Z", "counted": True, "told": None, "watched": True, "announced": {"stop": "2026-11-01T03:00:00Z"}, "undone": None,
}
EXEMPTION = {"subject": "i-*", "region": "eu-*", "scope": "tcp/22", "reason": "bastion", "owner": "sre", "ends": "2027-01-31"}
TAG = "until=2027-01-31 owner=sre reason=bastion host"


def read(paths):
    return [json.loads(path.read_text()) for path in sorted(paths)]


def nodes(value):
    yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from nodes(below)


def words(values):
    """Keys, and texts short enough to be words, those first that are there most often."""
    counts = {}
    for node in nodes(values):
        for word in node if isinstance(node, dict) else [node]:
            if isinstance(word, str) and 3 <= len(word) <= 60 and word.isascii() and word.isprintable():
                counts[word] = counts.get(word, 0) + 1
    return sorted(counts, key=lambda word: (-counts[word], word))[:400]


def text(value):
    return json.dumps(value, separators=(",", ":")).encode()


def write(folder, target, inputs, dictionary):
    (folder / target).mkdir(parents=True, exist_ok=True)
    for data in inputs:
        (folder / target / hashlib.sha1(data).hexdigest()).write_bytes(data)
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"') for word in dictionary)
    (folder / f"{target}.dict").write_text("".join(f'"{word}"\n' for word in escaped))


def main():
    folder = Path(sys.argv[1])
    beside = read((PROJECT.parent / "shared/events").glob("*.json"))
    scenarios = {room: read((PROJECT / "tests/scenarios" / room).glob("*.json")) for room in ROOMS}
    events = {room: read((PROJECT / "crates" / room / "fixtures").glob("*/*.json")) for room in ROOMS}
    everything = [event for room in ROOMS for event in events[room]] + beside
    for room in ROOMS:
        configs = [node["config"] for node in nodes(scenarios[room]) if isinstance(node, dict) and isinstance(node.get("config"), dict)]
        configs = [text(DEFAULT | config) for config in configs]
        one = text(events[room][0])
        inputs = [text(event) for event in events[room] + beside] + [config + b"\0" + one for config in configs]
        write(folder, room.replace("-", "_"), inputs, words([events[room], [json.loads(config) for config in configs]]))

    table = json.loads((PROJECT / "crates/block-public-bucket/fixtures/policies.json").read_text())
    policies = [row["policy"] for row in table["policies"]]
    policies += [node for node in nodes(list(scenarios.values())) if isinstance(node, dict) and "Statement" in node]
    write(folder, "bucket_policy", map(text, policies), words(policies))

    write(folder, "replay_judge", map(text, everything), words(everything))
    several = everything[:3]
    files = [text({"Records": several}), json.dumps({"Records": several}, indent=2).encode(), b"\n".join(map(text, several)), text(several)]
    files += [text({"Findings": several, "NextToken": ""}), text(several[0]), gzip.compress(text({"Records": several}), mtime=0)]
    files += [b'{"Records":[{"a":"}{\\"[\\\\"},{"b":[{}]}]}', b'{"a":1\n{"b":2}', b'\xef\xbb\xbf{} {}', b'[{},\n1,{}]', b'{"x":[],"Records":[{}],"y":{"z":[1]}}']
    write(folder, "replay_split", files, ['"Records":[', '"Findings":[', "{", "}", "[", "]", "\\n", '\\"'])

    write(folder, "credential_report", ["\n".join(REPORT).encode(), "\r\n".join(REPORT[:2]).encode()], [*KEYS, "true", "N/A", "no_information", "<root_account>"])

    records = [RECORD, RECORD | {"outcome": None}, RECORD | {"undone": "2026-11-01T05:00:00Z", "subject": "a'; rm -rf ~ #"}]
    kept = {"baseline": {"trail": {}}, "taken": "2026-11-01T04:00:00Z", "why": "healthy"}
    inputs = [b"\0".join([text(one), text(EXEMPTION), b"i-0123456789abcdef0", TAG.encode()]) for one in [*records, kept]]
    write(folder, "journal", inputs, words([records, EXEMPTION, kept, TAG.split()]))

    # Made of numbers, not of texts.
    for target in ("ingress_rules", "trail_selectors"):
        write(folder, target, [bytes(range(n, n + 200)) for n in range(0, 56, 8)], [])


main()
