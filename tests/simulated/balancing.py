"""Load balancers, classic and new: what is registered, and what a deregistration takes away."""

from moto.elb.models import ELBBackend
from moto.elbv2.models import FakeTargetGroup


def correct():
    classic = ELBBackend.deregister_instances

    def deregister_instances(self, load_balancer_name, instance_ids, from_autoscaling=False):
        # moto keeps members that Auto Scaling registered apart, and never lets a user deregister them. AWS does.
        classic(self, load_balancer_name, instance_ids, from_autoscaling=True)
        return classic(self, load_balancer_name, instance_ids, from_autoscaling=False)

    ELBBackend.deregister_instances = deregister_instances

    deregister = FakeTargetGroup.deregister

    def deregister_targets(self, targets):
        # AWS answers the deregistration of a target that is not registered with success; moto with InvalidTarget.
        deregister(self, [target for target in targets if target["Id"] in self.targets])

    FakeTargetGroup.deregister = deregister_targets
