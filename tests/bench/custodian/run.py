"""Runs one Cloud Custodian policy in a process that is ready before it is measured, in Custodian's own environment.

The first line on standard input says what to run: the policy's file, its mode, the account and its regions. Everything is then
imported, and `ready` is said. Each line after it is an event and the endpoint to answer it at; in the mode `pull` the event
says nothing, and the policy runs over the whole account.
"""

import json
import logging
import os
import sys
import tempfile
import time


def main():
    begun = time.monotonic()
    asked = json.loads(sys.stdin.readline())
    # What it prints and logs must not mix with our lines.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    say = lambda line: (answers.write(json.dumps(line) + "\n"), answers.flush())
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        run = events(asked) if asked["mode"] == "event" else pull(asked, folder)
        say({"import_ms": (time.monotonic() - begun) * 1000})
        for line in sys.stdin:
            handed = json.loads(line)
            os.environ["AWS_ENDPOINT_URL"] = handed["endpoint"]
            begun, error = time.monotonic(), None
            try:
                run(handed["event"])
            except Exception as problem:  # Whatever it is belongs into the comparison.
                error = f"{type(problem).__name__}: {problem}"
            say({"wall_ms": (time.monotonic() - begun) * 1000, "error": error, "peak_mb": peak_mb()})


def policy(asked):
    import yaml

    with open(asked["policy"]) as file:
        document = yaml.safe_load(file)
    for one in document["policies"]:
        if asked["mode"] != "event":
            one.pop("mode", None)
    return json.loads(json.dumps(document).replace("{account_id}", asked["account"]))


def events(asked):
    """The handler of Custodian's Lambda functions, with the config.json that it deploys beside it."""
    with open("config.json", "w") as file:
        options = {"account_id": asked["account"], "region": asked["regions"][0]}
        json.dump({"execution-options": options, **policy(asked)}, file)
    from c7n import handler

    logging.root.setLevel(logging.WARNING)
    return lambda event: handler.dispatch_event(event, None)


def pull(asked, folder):
    """`custodian run`."""
    with open("policy.json", "w") as file:
        json.dump(policy(asked), file)
    from c7n import cli
    from c7n.resources import load_resources

    load_resources([one["resource"] for one in policy(asked)["policies"]])
    arguments = ["custodian", "run", "--quiet", "--output-dir", folder, "--cache-period", "0"]
    for region in asked["regions"]:
        arguments += ["--region", region]

    def run(_event):
        sys.argv = [*arguments, "policy.json"]
        try:
            cli.main()
        except SystemExit as end:
            if end.code:
                raise RuntimeError(f"custodian ended with {end.code}") from end

    return run


def peak_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
