"""A light account for sweeps at scale: python -m fake KIND SUBJECTS.

moto needs milliseconds of processor time for each call, and minutes for ten thousand buckets. This one holds just what the three
sweeps and Cloud Custodian read and change, answers each call after the latency, and refuses every other call. Changes are seen in
what is read after them. The first line that it prints says where it listens; a line on standard input asks for what was seen.
"""

import argparse
import asyncio
import json
import sys

from fake import dynamodb, ec2, iam, s3, sns, sts
from fake.server import Server

KINDS = {"groups": ec2.Groups, "buckets": s3.Buckets, "keys": iam.Keys}


async def serve(arguments):
    planted = arguments.harmful or max(1, arguments.subjects // 100)
    subjects = KINDS[arguments.kind](arguments.subjects, planted)
    services = {"dynamodb": dynamodb.Tables(), "sns": sns.Topics(), "sts": sts.Identity(), subjects.SERVICE: subjects}
    server = Server(services, arguments.latency / 1000)
    port = await server.start()
    print(json.dumps({"endpoint": f"http://127.0.0.1:{port}", "harmful": len(subjects.harmful)}), flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps({"calls": server.calls, "refused": server.refused, **subjects.seen()}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("subjects", type=int)
    parser.add_argument("--harmful", type=int, help="how many subjects are harmful; default: one in a hundred")
    parser.add_argument("--latency", type=float, default=20)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
