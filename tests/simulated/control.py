"""What no API call can bring about, for the steps of a scenario: `{"call": "simulate.<name>", "with": {...}}`.

`simulate.trails.<name>` and the like call into the module of that part of AWS.
"""

from moto.ec2.models import ec2_backends

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


def pass_time(account, region):
    """What AWS would do by itself within minutes: transitions end, Auto Scaling replaces stopped members."""
    clock.settle()
    return {}
