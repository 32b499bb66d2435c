"""What happens in the account while nobody calls: state transitions end, Auto Scaling heals its groups.

On AWS a stop takes from seconds to minutes. Here it takes `STOPPING_SECONDS`, or until the drill lets time pass
with `settle()`, which it does after the function has answered and before it looks at the account.
"""

import time

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends

STOPPING_SECONDS = 20.0

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


def enter(instance, state):
    """Puts an instance into a state by name."""
    instance._state.name = state
    instance._state.code = CODES[state]
    instance.stopping_since = time.monotonic() if state == "stopping" else None


def tick(instance):
    """Ends a stop that has taken its time."""
    since = getattr(instance, "stopping_since", None)
    if since is not None and time.monotonic() - since >= STOPPING_SECONDS:
        enter(instance, "stopped")


def settle():
    """Lets minutes pass in every account and region that is in use."""
    for regions in list(ec2_backends.values()):
        for backend in list(regions.values()):
            for instance in backend.all_instances():
                if instance.state == "stopping":
                    enter(instance, "stopped")
                elif instance.state == "shutting-down":
                    enter(instance, "terminated")
                elif instance.state == "pending":
                    enter(instance, "running")
    for regions in list(autoscaling_backends.values()):
        for backend in list(regions.values()):
            for group in list(backend.autoscaling_groups.values()):
                heal(backend, group)


def heal(backend, group):
    """Auto Scaling judges a stopped member unhealthy, terminates it and launches another. Termination protection does
    not stop it; a suspended ReplaceUnhealthy or HealthCheck process does, and members in Standby are not checked."""
    if {"ReplaceUnhealthy", "HealthCheck"} & set(group._suspended_processes):
        return
    lost = [
        member.instance.id
        for member in group.instance_states
        if member.lifecycle_state == "InService" and member.instance.state in ("stopped", "stopping")
    ]
    for instance in lost:
        backend.ec2_backend.get_instance(instance).disable_api_termination = False
    if lost:
        backend.ec2_backend.terminate_instances(lost)
        backend.notify_terminate_instances(lost)
        backend.elbv2_backend.notify_terminate_instances(lost)
