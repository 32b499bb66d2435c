"""What is measured: each function, and beside it the same containment as one bare call and as a playbook in Python.

Each is recorded once, on a stage of its own: it does its work on the simulated account, and the answers are kept.
"""

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import boto3

# The call that contains, as the endpoint names it.
CONTAINED = {
    "block-public-bucket": r"s3:PUT .*publicAccessBlock",
    "disable-old-keys": r"iam:UpdateAccessKey",
    "restore-trail": r"cloudtrail:StartLogging",
    "revoke-open-ingress": r"ec2:RevokeSecurityGroupIngress",
    "stop-instance": r"ec2:ModifyNetworkInterfaceAttribute",
}
KINDS = ("function", "bare call", "Python")


@dataclass
class Program:
    function: str
    kind: str
    command: list
    environment: dict
    event: bytes
    folder: Path = None
    recording: list = field(default_factory=list)

    def contains(self, operation):
        return re.fullmatch(CONTAINED.get(self.function, "(?!)"), operation) is not None


class Stages:
    """The drill, which sets the stage of a function's model scenario when it is asked to."""

    def __init__(self, drill, functions):
        environment = {**os.environ, "TOURNIQUET_BIN_DIR": str(functions)}
        self.child = subprocess.Popen([drill, "--stages"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def set(self, function):
        print(function, file=self.child.stdin, flush=True)
        line = self.child.stdout.readline()
        if not line:
            raise SystemExit("The drill could not set the stage; what it said is above.")
        return json.loads(line)

    def end(self):
        self.child.stdin.close()
        self.child.wait()


def administrator(stage, service):
    return boto3.client(
        service,
        endpoint_url=stage["endpoint"],
        region_name=stage["environment"]["AWS_REGION"],
        aws_access_key_id=stage["administrator"],
        aws_secret_access_key="simulated",
    )


def subject(function, stage):
    """What a program without a look at the account of its own must be told, and what the fixture cannot know."""
    if function == "stop-instance":
        instances = administrator(stage, "ec2").describe_instances(InstanceIds=[stage["names"]["instance"]])
        interface = instances["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0]["NetworkInterfaceId"]
        details = stage["event"]["detail"]["resource"]["instanceDetails"]
        details["networkInterfaces"][0]["networkInterfaceId"] = interface
        return {"ISOLATION_GROUP": stage["names"]["isolation"]}
    if function == "disable-old-keys":
        iam = administrator(stage, "iam")
        # All but the first asker of four hours find it ready: the wait is AWS's.
        while iam.generate_credential_report()["State"] != "COMPLETE":
            pass
        key = stage["names"]["old"]
        return {"KEY_ID": key, "USER_NAME": iam.get_access_key_last_used(AccessKeyId=key)["UserName"]}
    return {}


def program(function, kind, stage, places, endpoint):
    """A program as it is started on a stage."""
    given = stage["environment"]
    own = {"SSL_CERT_FILE": str(places.roots), "AWS_CA_BUNDLE": str(places.roots), **subject(function, stage)}
    own |= {
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
    }
    event = json.dumps(stage["event"]).encode()
    if kind == "function":
        config = {**json.loads(given["TOURNIQUET_CONFIG"]), "trust": "system"}
        own["TOURNIQUET_CONFIG"] = json.dumps(config)
        command = [places.functions / function / "bootstrap"]
        return Program(function, kind, command, {**given, **endpoint.environment(), **own}, event)
    # Their roles are not what is measured.
    own |= {"AWS_ACCESS_KEY_ID": stage["administrator"], "AWS_SECRET_ACCESS_KEY": "simulated"}
    given = {name: value for name, value in given.items() if name in ("AWS_REGION", "AWS_DEFAULT_REGION")}
    if kind == "bare call":
        service = CONTAINED[function].split(":")[0]
        own["AWS_ENDPOINT_URL"] = endpoint.url(service)
        command = [places.functions / f"bare-{function}" / "bootstrap"]
        return Program(function, kind, command, {**given, **own}, event)
    own |= {
        "JOURNAL_TABLE": stage["names"]["journal_table"],
        "REPORT_TOPIC": stage["names"]["report_topic"],
    }
    command = [places.python, "-m", "awslambdaric", f"{function.replace('-', '_')}.handler"]
    return Program(function, kind, command, {**given, **endpoint.environment(), **own}, event, places.playbooks)


def empty(places):
    environment = {"AWS_LAMBDA_FUNCTION_NAME": "empty", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_FUNCTION_VERSION": "1"}
    return Program("", "empty function", [places.functions / "empty" / "bootstrap"], environment, b"{}")
