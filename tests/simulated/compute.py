"""EC2: states that take time, interfaces with groups of their own, and what cannot be stopped."""

from moto.ec2.exceptions import EC2ClientError, InvalidSecurityGroupNotFoundError, OperationDisableApiStopNotPermitted
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.models.spot_requests import SpotInstanceRequest
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import filter_dict_attribute_mapping
from moto.core.responses import ActionResult

from simulated import clock


def correct():
    groups_of_interfaces()
    stopping()
    describing()
    attributes()
    profiles()
    spot()


def groups_of_interfaces():
    """On AWS the groups belong to the interface, and an instance's groups are those of its primary one. moto adds
    the instance's own list to every interface, so that a replaced group never goes away."""

    def read(self):
        nics = self.__dict__.get("nics")
        return nics[0]._group_set if nics and 0 in nics else self.__dict__.get("launch_groups", [])

    def write(self, groups):
        if self.__dict__.get("nics") and 0 in self.nics:
            self.nics[0]._group_set = list(groups)
        else:
            self.__dict__["launch_groups"] = groups

    Instance.security_groups = property(read, write)
    NetworkInterface.group_set = property(lambda self: self._group_set)

    original = NetworkInterfaceBackend.modify_network_interface_attribute

    def modify(self, eni_id, group_ids, source_dest_check=None, description=None):
        eni = self.get_network_interface(eni_id)
        for group_id in group_ids:
            group = self.get_security_group_from_id(group_id)
            # moto sets the interface's group to None for an id that does not exist.
            if group is None:
                raise InvalidSecurityGroupNotFoundError(group_id)
            if group.vpc_id != eni.subnet.vpc_id:
                raise EC2ClientError(
                    "InvalidGroup.NotFound",
                    f"You have specified two resources that belong to different networks: {eni_id} and {group_id}.",
                )
        return original(self, eni_id, group_ids, source_dest_check, description)

    NetworkInterfaceBackend.modify_network_interface_attribute = modify


def stopping():
    """AWS answers StopInstances with `stopping` and is not done for a while, and refuses what cannot be stopped."""

    def stop(self, instance_ids, hibernate=False):
        instances = self.get_multi_instances_by_id(instance_ids)
        for instance in instances:
            refuse_stop(instance, hibernate)
        stopped = []
        for instance in instances:
            before = instance._state.name
            state = instance.stop()
            # A second StopInstances does not begin the stop anew.
            if before not in ("stopping", "stopped"):
                clock.enter(instance, "stopping")
            else:
                clock.enter(instance, before)
            stopped.append((instance, state))
        return stopped

    InstanceBackend.stop_instances = stop

    def stop_instances(self):
        self.error_on_dryrun()
        hibernate = bool(self._get_bool_param("Hibernate", False))
        stopped = self.ec2_backend.stop_instances(self._get_param("InstanceIds", []), hibernate)
        # moto says `stopping` even for an instance that is stopped already.
        return ActionResult(
            {
                "StoppingInstances": [
                    {"InstanceId": i.id, "CurrentState": i._state, "PreviousState": state} for i, state in stopped
                ]
            }
        )

    InstanceResponse.stop_instances = stop_instances


def refuse_stop(instance, hibernate):
    spot = instance.lifecycle == "spot" and getattr(instance, "spot_request", "one-time") == "one-time"
    if instance.state in ("terminated", "shutting-down", "pending"):
        raise EC2ClientError(
            "IncorrectInstanceState",
            f"This instance '{instance.id}' is not in a state from which it can be stopped.",
        )
    if instance.disable_api_stop:
        raise OperationDisableApiStopNotPermitted(instance.id)
    if spot:
        raise EC2ClientError(
            "UnsupportedOperation",
            f"You can't stop the Spot Instance '{instance.id}' because it is associated with a one-time Spot Instance "
            "request. You can only stop Spot Instances associated with persistent Spot Instance requests.",
        )
    if instance.root_device_type == "instance-store":
        raise EC2ClientError(
            "UnsupportedOperation",
            f"The instance '{instance.id}' does not have an 'ebs' root device type and cannot be stopped.",
        )
    configured = str((instance.hibernation_options or {}).get("Configured", "false")).lower() == "true"
    if hibernate and not configured:
        raise EC2ClientError(
            "UnsupportedHibernationConfiguration",
            f"Instance '{instance.id}' is not configured for hibernation.",
        )


def describing():
    """Time passes between two reads of an instance; a terminated one has lost its interfaces."""
    state = Instance.instance_state.fget
    network_interfaces = Instance.network_interfaces.fget

    def seen(self):
        clock.tick(self)
        return state(self)

    def gone(self):
        return self._state.name == "terminated"

    Instance.instance_state = property(seen)
    Instance.network_interfaces = property(lambda self: [] if gone(self) else network_interfaces(self))


def attributes():
    """AWS refuses a second attribute in one ModifyInstanceAttribute; moto takes the first and drops the others."""
    original = InstanceResponse.modify_instance_attribute
    exclusive = ("DisableApiTermination", "DisableApiStop", "SourceDestCheck", "InstanceType", "UserData", "EbsOptimized")

    def modify(self):
        named = [name for name in exclusive if self._get_param(f"{name}.Value") is not None]
        named += ["BlockDeviceMappings"] if self._get_param("BlockDeviceMappings", []) else []
        named += ["Groups"] if self._get_param("Groups", []) else []
        if len(named) > 1:
            raise EC2ClientError("InvalidParameterCombination", "Fields for multiple attribute types specified")
        return original(self)

    InstanceResponse.modify_instance_attribute = modify


def profiles():
    """AWS finds instances by their instance profile; moto knows no such filter."""

    def arn(self):
        association = self.ec2_backend.iam_instance_profile_associations.get(self.id)
        return association.iam_instance_profile.arn if association else None

    Instance.profile_arn = property(arn)
    filter_dict_attribute_mapping["iam-instance-profile.arn"] = "profile_arn"


def spot():
    """On AWS a Spot instance names its request; moto's knows nothing of it."""
    original = SpotInstanceRequest.launch_instance

    def launch(self):
        instance = original(self)
        instance.spot_instance_request_id = self.id
        instance.spot_request = self.type
        # moto puts it into the default group of the account's default VPC; AWS into that of its own.
        own = [g for g in self.ec2_backend.describe_security_groups() if g.vpc_id == instance.vpc_id and g.is_default]
        for interface in instance.nics.values():
            interface._group_set = own
        return instance

    SpotInstanceRequest.launch_instance = launch
