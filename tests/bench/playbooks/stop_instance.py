"""Isolates an instance, keeps its evidence, stops and tags it."""

import os

import boto3

import journal

ISOLATION = os.environ["ISOLATION_GROUP"]
ec2 = boto3.client("ec2")


def look(instance):
    return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]


def handler(event, context):
    finding = event["detail"]
    instance = finding["resource"]["instanceDetails"]["instanceId"]
    seen = look(instance)
    groups = ec2.describe_security_groups(GroupIds=[ISOLATION])["SecurityGroups"]
    if groups[0]["IpPermissions"] or groups[0]["IpPermissionsEgress"]:
        raise RuntimeError(f"{ISOLATION} has rules")
    before = {
        interface["NetworkInterfaceId"]: [group["GroupId"] for group in interface["Groups"]]
        for interface in seen["NetworkInterfaces"]
    }
    journal.begin(instance, finding["id"], before)
    for interface in before:
        ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[ISOLATION])
    for interface in look(instance)["NetworkInterfaces"]:
        if [group["GroupId"] for group in interface["Groups"]] != [ISOLATION]:
            raise RuntimeError(f"{interface['NetworkInterfaceId']} is not isolated")

    ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": True})
    for device in seen["BlockDeviceMappings"]:
        ec2.modify_instance_attribute(
            InstanceId=instance,
            BlockDeviceMappings=[{"DeviceName": device["DeviceName"], "Ebs": {"DeleteOnTermination": False}}],
        )
    ec2.create_snapshots(InstanceSpecification={"InstanceId": instance}, Description=finding["type"])
    ec2.stop_instances(InstanceIds=[instance])
    ec2.create_tags(Resources=[instance], Tags=[{"Key": "finding", "Value": finding["id"]}])
    state = look(instance)["State"]["Name"]
    return journal.close(instance, finding["id"], f"{finding['type']}: {instance} is isolated and {state}")
