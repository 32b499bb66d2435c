"""The simulated account: moto's server on a free loopback port and a line protocol on stdin and stdout.

Every request and every answer is one line of JSON. A step is `{"call": "ec2.run_instances", "with": {...}}`
and runs as an administrator of its account; `{"do": ...}` steers the process itself. The function under test
talks to the port like to AWS, with its own role and with permissions enforced. The process ends when stdin
closes, and takes the process groups that it was asked to guard with it, so that nothing outlives the drill.
"""

import json
import logging
import os
import signal
import sys
import threading

# Read by moto when it is imported: no default images (half of the time of a reset), no account of the machine's own.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
for name in ("MOTO_ACCOUNT_ID", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"):
    os.environ.pop(name, None)
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ["NO_PROXY"] = "127.0.0.1"

import boto3
import jmespath
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

import simulated
from simulated import clock, permissions

# Where a step runs unless it says otherwise. The account is the one of AWS's own documentation.
HOME = {"account": "111122223333", "region": "eu-central-1"}


class Account:
    """One server, and the administrators' clients by service, region and account."""

    def __init__(self):
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        self.port = self.server.get_host_and_port()[1]
        self.session = boto3.Session()
        self.clients = {}
        self.guarded = set()

    def client(self, service, region, account):
        key = (service, region, account)
        if key not in self.clients:
            client = self.session.client(
                service,
                region_name=region,
                endpoint_url=f"http://127.0.0.1:{self.port}",
                aws_access_key_id=permissions.administrator(account),
                aws_secret_access_key="simulated",
                # A bucket or an account in the host name would leave loopback.
                config=Config(
                    retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, inject_host_prefix=False
                ),
            )
            def prepare(params, **_):
                # S3 Control's rules put the account in front of the host all the same.
                params["url"] = params["url"].replace(f"//{account}.", "//", 1)

            client.meta.events.register("before-call.*", prepare)
            self.clients[key] = client
        return self.clients[key]

    def step(self, request):
        """Runs one call and answers with what `at` and `save` (JMESPath) pick from its result."""
        service, operation = request["call"].split(".", 1)
        region = request.get("region") or HOME["region"]
        account = request.get("account") or HOME["account"]
        arguments = request.get("with") or {}
        if service == "simulate":
            module, _, name = operation.rpartition(".")
            answer = getattr(getattr(simulated, module or "control"), name)(account, region, **arguments)
        else:
            answer = getattr(self.client(service, region, account), operation)(**arguments)
            answer.pop("ResponseMetadata", None)
        saved = {name: jmespath.search(path, answer) for name, path in (request.get("save") or {}).items()}
        at = request.get("at")
        return {"answer": jmespath.search(at, answer) if at else answer, "saved": saved}

    def do(self, request):
        """The requests that are about the process and not about the account."""
        match request["do"]:
            case "reset":
                moto_api_backend.reset()
            case "settle":
                clock.settle()
            case "guard":
                self.guarded.add(int(request["group"]))
            case "release":
                self.guarded.discard(int(request["group"]))
            case other:
                raise ValueError(f"there is no request '{other}'")
        return {}

    def end(self):
        for group in self.guarded:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                pass


def plain(value):
    """What boto3 answers that JSON does not know: times, and bytes of user data."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def answer(account, line):
    try:
        request = json.loads(line)
        result = account.do(request) if "do" in request else account.step(request)
        return {"ok": result}
    except ClientError as error:
        return {"error": error.response["Error"]}
    except (BotoCoreError, AttributeError, KeyError, TypeError, ValueError, LookupError) as error:
        return {"error": {"Code": type(error).__name__, "Message": str(error)}}


def main():
    # Ctrl-C reaches the whole foreground group; this process must live until it has ended what it guards.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # One line a request on stderr is noise; a failure inside moto is not.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    simulated.correct()
    account = Account()
    try:
        ready = {"port": account.port, "administrator": permissions.administrator(HOME["account"]), **HOME}
        print(json.dumps({"ready": ready}), flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(account, line), default=plain), flush=True)
    except BrokenPipeError:
        pass
    finally:
        account.end()
        # The server's threads hold no state worth an orderly end.
        threading.excepthook = lambda _: None
        os._exit(0)


if __name__ == "__main__":
    main()
