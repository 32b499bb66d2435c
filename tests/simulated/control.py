"""What no API call can bring about, for the steps of a scenario: `{"call": "simulate.<name>", "with": {...}}`."""

from datetime import datetime, timedelta, timezone

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends

from simulated import clock


def instance(account, region, id, **fields):
    """Sets fields of an instance: `state` by name, `root_device_type`, `lifecycle`, `spot_request`, and so on."""
    found = ec2_backends[account][region].get_instance(id)
    state = fields.pop("state", None)
    if state:
        clock.enter(found, state)
    for name, value in fields.items():
        setattr(found, name, value)
    return {"id": id}


def access_key(account, region, user, id, days):
    """Makes an access key as old as `days`."""
    keys = iam_backends[account]["aws"].get_user(user).access_keys
    found = next(key for key in keys if key.access_key_id == id)
    found.create_date = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(days=days)
    return {"id": id}


def pass_time(account, region):
    """What AWS would do by itself within minutes: transitions end, Auto Scaling replaces stopped members."""
    clock.settle()
    return {}
