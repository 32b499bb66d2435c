"""Auto Scaling: who may be detached, and what a detach does to load balancers."""

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend


def correct():
    replace("detach_instances", allowed=("InService", "Standby"))
    replace("enter_standby_instances", allowed=("InService",))


def replace(name, allowed):
    """AWS refuses instances that are not members or not in a fitting state, and takes those that leave service off the
    group's target groups. moto ignores strangers and leaves the targets registered."""
    original = getattr(AutoScalingBackend, name)

    def call(self, group_name, instance_ids, should_decrement):
        group = self.autoscaling_groups.get(group_name)
        if group is None:
            raise ValidationError("AutoScalingGroup name not found - null")
        members = {member.instance.id: member for member in group.instance_states}
        for instance_id in instance_ids:
            if instance_id not in members:
                raise ValidationError(f"The instance {instance_id} is not part of Auto Scaling group {group_name}.")
            if members[instance_id].lifecycle_state not in allowed:
                raise ValidationError(f"The instance {instance_id} is not in {' or '.join(allowed)}.")
        after = group.desired_capacity - (len(instance_ids) if should_decrement else 0)
        if after < group.min_size:
            raise ValidationError(
                f"AutoScalingGroup {group_name} has min-size={group.min_size}, max-size={group.max_size}, and "
                f"desired-size={group.desired_capacity}. To place into standby or detach {len(instance_ids)} instances, "
                "please update the AutoScalingGroup sizes appropriately."
            )
        activities = original(self, group_name, instance_ids, should_decrement)
        for arn in group.target_group_arns:
            targets = self.elbv2_backend.target_groups[arn]
            targets.deregister([{"Id": i} for i in instance_ids if i in targets.targets])
        return activities

    setattr(AutoScalingBackend, name, call)
