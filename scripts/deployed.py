"""What stands at AWS under the name of a function, for scripts/deploy.

deployed.py NAME        prints its architecture and its region
deployed.py NAME ZIP    waits for an update to end, and fails unless the zip is what is there now
"""

import base64
import hashlib
import os
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, WaiterError


def sha256(path):
    """As Lambda writes it."""
    with open(path, "rb") as file:
        return base64.b64encode(hashlib.sha256(file.read()).digest()).decode()


def main(name, package=None):
    # Terraform and cargo-lambda look at AWS_REGION first; boto3 does not know it.
    client = boto3.Session(region_name=os.environ.get("AWS_REGION") or None).client("lambda")
    region = client.meta.region_name
    if package:
        client.get_waiter("function_updated").wait(FunctionName=name)
    try:
        function = client.get_function_configuration(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        sys.exit(f"{name} is not deployed in {region}: Terraform makes it first, with its role and rules (docs/deploy.md); this only sends new code.")
    if not package:
        print(*function["Architectures"], region)
    elif function["CodeSha256"] != sha256(package):
        sys.exit(f"{name} in {region} does not have the code that was sent: something else deploys it too. See who, and run this again.")


try:
    main(*sys.argv[1:])
except NoCredentialsError:
    sys.exit("There are no AWS credentials: log in, or name a profile in AWS_PROFILE.")
except NoRegionError:
    sys.exit("There is no AWS region: name one in AWS_REGION.")
except WaiterError as error:
    sys.exit(f"The update of {sys.argv[1]} did not end well: {error}")
except (BotoCoreError, ClientError) as error:
    sys.exit(f"AWS does not say what {sys.argv[1]} is: {error}")
