#!/usr/bin/env bash
# Measures `tourniquet replay` on log files as CloudTrail writes them, against jq and duckdb, which do nothing but the selection of
# the same calls, one after the other on the same machine. Ends with an error below 400 MB of JSON a second, above
# 200 MB of memory, or if they do not select the same number of records.
#
# scripts/bench replay [--megabytes N]     default: 2000 MB of JSON; a twentieth of it for the others
#
# TOURNIQUET_BINARY   the command to measure; default: it is built first, which takes ten minutes the first time
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/tools"

least=400 most=200 megabytes=2000 size=20
case "${1:-}" in
    '') ;;
    --megabytes) megabytes="${2:?}" ;;
    *)
        sed -n '2,8s/^# \?//p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
esac
command -v jq >/dev/null || stop "jq is missing: on Debian and Ubuntu, sudo apt install jq."

binary="${TOURNIQUET_BINARY:-$CARGO_TARGET_DIR/operator/tourniquet}"
if [[ -z "${TOURNIQUET_BINARY:-}" ]]; then
    cargo build --manifest-path "$project/Cargo.toml" --profile operator --package operator >&2
fi

files=$(((megabytes + size - 1) / size))
logs="$CARGO_TARGET_DIR/bench/$files"
if [[ ! -f "$logs/bytes" ]]; then
    say "Writing $files log files of $size MB each"
    rm -rf "$logs"
    mkdir -p "$logs/all"
    python3 "$project/tests/logs.py" "$logs/all" "$files" "$size" >"$logs/bytes"
fi
# The few that the slow ones read.
find "$logs/all" -name '*.json.gz' | sort | head -n "$(((files + 19) / 20))" >"$logs/few"

# Runs a command; its output goes to a file, and here: bytes of JSON, seconds, the most megabytes of memory.
measured() {
    local bytes="$1" output="$2"
    shift 2
    python3 - "$bytes" "$output" "$@" <<'EOF'
import resource, subprocess, sys, time
begun = time.monotonic()
with open(sys.argv[2], "w") as output:
    subprocess.run(sys.argv[3:], stdout=output, check=True)
print(sys.argv[1], time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000)
EOF
}

show() { awk -v name="$1" '{ printf "%-12s %8.0f MB of JSON %8.2f s %8.0f MB/s %6.0f MB of memory\n", name, $1 / 1e6, $2, $1 / 1e6 / $2, $3 }' <<<"$2"; }

xargs -a "$logs/few" cat | gzip -dc | wc -c >"$logs/few.bytes"
names="$(jq -c '.detail.eventName // empty' "$project"/crates/*/triggers/*.json | jq -cs 'add | unique')"

# Once for the page cache.
mapfile -t few <"$logs/few"
"$binary" replay "${few[@]}" --json >"$logs/few.json"
ours="$(measured "$(cat "$logs/bytes")" "$logs/all.json" "$binary" replay "$logs/all" --json)"
show tourniquet "$ours"

# shellcheck disable=SC2016
theirs="$(measured "$(cat "$logs/few.bytes")" "$logs/jq.out" xargs -a "$logs/few" -P "$(nproc)" -I{} sh -c \
    'gzip -dc "$1" | jq -c --argjson names "$2" '\''.Records[] | select(.eventName as $n | $names | index($n)) | .eventID'\''' sh {} "$names")"
show "$(jq --version)" "$theirs"

duckdb=2.0.1 python="$TOURNIQUET_TOOLS/duckdb/bin/python"
if ! "$python" -c "import duckdb, sys; sys.exit(duckdb.__version__ != '$duckdb')" 2>/dev/null; then
    say "Getting duckdb $duckdb (20 MB from PyPI, once)"
    { python3 -m venv --clear "$TOURNIQUET_TOOLS/duckdb" && "$python" -m pip install --quiet --disable-pip-version-check "duckdb==$duckdb"; } >&2 ||
        say "LEFT OUT: duckdb cannot be installed here."
fi
if "$python" -c 'import duckdb' 2>/dev/null; then
    duck="$(measured "$(cat "$logs/few.bytes")" "$logs/duckdb.out" "$python" -c '
import json, sys, duckdb
names, files = json.loads(sys.argv[1]), open(sys.argv[2]).read().split()
print(duckdb.execute("""select count(*) from (select unnest(Records) as r from read_json($files, maximum_object_size = 1000000000,
    columns = {Records: "STRUCT(eventName VARCHAR)[]"})) where list_contains($names, r.eventName)""", {"files": files, "names": names}).fetchone()[0])' "$names" "$logs/few")"
    show "duckdb-$duckdb" "$duck"
fi

selected="$(wc -l <"$logs/jq.out")"
events="$(jq '.read.events + .read.repeated' "$logs/few.json")"
[[ "$selected" == "$events" ]] || stop "jq selects $selected records, tourniquet $events."
[[ -z "${duck:-}" || "$(cat "$logs/duckdb.out")" == "$events" ]] || stop "duckdb selects $(cat "$logs/duckdb.out") records, tourniquet $events."
awk -v least="$least" -v most="$most" -v ours="$ours" -v theirs="$theirs" 'BEGIN {
    split(ours, a, " "); split(theirs, b, " "); rate = a[1] / 1e6 / a[2]
    printf "%.0f times as fast as jq; all select the same records.\n", rate / (b[1] / 1e6 / b[2])
    if (rate < least || a[3] > most) { printf "Promised are %d MB/s and %d MB of memory.\n", least, most; exit 1 }
}'
