# Other accounts and regions: modules/member, and modules/organization with its CloudFormation template.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  hub = {
    account         = "999900001111"
    partition       = "aws"
    region          = "eu-central-1"
    bus_arn         = "arn:aws:events:eu-central-1:999900001111:event-bus/tourniquet"
    organization_id = "o-a1b2c3d4e5"
    settings        = { stop-instance = "{\"cut_connections\":true}" }
  }
}

run "a_member_trusts_the_hubs_function_and_forwards" {
  command = plan
  module {
    source = "./modules/member"
  }

  assert {
    condition = jsondecode(aws_iam_role.member["stop-instance"].assume_role_policy).Statement[0] == {
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::999900001111:root" }
      Action    = "sts:AssumeRole"
      Condition = {
        ArnEquals    = { "aws:PrincipalArn" = "arn:aws:iam::999900001111:role/tourniquet-stop-instance" }
        StringEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" }
      }
    }
    error_message = "The role trusts somebody else."
  }
  assert {
    condition     = length([for s in jsondecode(aws_iam_role_policy.member["stop-instance"].policy).Statement : s if contains(["Stop", "CutConnections"], s.Sid)]) == 2
    error_message = "Permissions of the room are missing."
  }
  assert {
    condition     = length([for s in jsondecode(aws_iam_role_policy.member["stop-instance"].policy).Statement : s if contains(["Journal", "Report", "EnterMembers", "RevokeSessions"], s.Sid)]) == 0
    error_message = "The role may do what only the hub's role, or a setting that is off, needs."
  }
  assert {
    condition     = strcontains(aws_iam_role_policy.member["stop-instance"].policy, "arn:aws:ec2:*:111122223333:instance/*") && !strcontains(aws_iam_role_policy.member["stop-instance"].policy, "$${")
    error_message = "The permissions are not those of this account."
  }
  assert {
    condition     = alltrue([for target in aws_cloudwatch_event_target.forward : target.arn == var.hub.bus_arn]) && keys(aws_cloudwatch_event_rule.forward) == ["tourniquet-stop-instance-guardduty-finding"]
    error_message = "Events do not reach the hub."
  }
}

run "another_region_of_the_hub_only_forwards" {
  command = plan
  module {
    source = "./modules/member"
  }
  variables {
    hub = {
      account   = "111122223333"
      partition = "aws"
      region    = "us-east-1"
      bus_arn   = "arn:aws:events:us-east-1:111122223333:event-bus/tourniquet"
      settings  = { stop-instance = "{}" }
    }
  }

  assert {
    condition     = length(aws_iam_role.member) == 0 && length(aws_cloudwatch_event_rule.forward) == 1
    error_message = "The hub's account has the functions' own roles."
  }
}

run "the_hubs_own_region_is_refused" {
  command = plan
  module {
    source = "./modules/member"
  }
  variables {
    hub = {
      account   = "111122223333"
      partition = "aws"
      region    = "eu-central-1"
      bus_arn   = "arn:aws:events:eu-central-1:111122223333:event-bus/tourniquet"
      settings  = {}
    }
  }
  expect_failures = [data.aws_region.here]
}

run "the_template_says_the_same" {
  command = plan
  module {
    source = "./modules/organization"
  }
  variables {
    organizational_units = ["ou-ab12-c3d4e5f6"]
    regions              = ["eu-central-1", "us-east-1"]
  }

  assert {
    condition     = jsondecode(output.template).Resources.RoleStopInstance.Properties.AssumeRolePolicyDocument.Statement[0].Condition.StringEquals == { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" }
    error_message = "The role trusts others than the organisation."
  }
  assert {
    condition = [
      for s in jsondecode(output.template).Resources.RoleStopInstance.Properties.Policies[0].PolicyDocument.Statement : s.Resource if s.Sid == "Stop"
    ] == [[{ "Fn::Sub" = "arn:$${AWS::Partition}:ec2:*:$${AWS::AccountId}:instance/*" }]]
    error_message = "The permissions are not those of the member's account."
  }
  assert {
    condition     = jsondecode(output.template).Resources.RuleStopInstanceGuarddutyFinding.Properties.EventPattern.source == ["aws.guardduty"]
    error_message = "The rules are not those of the triggers."
  }
  assert {
    condition     = jsondecode(output.template).Conditions.MakesRoles == { "Fn::Equals" = [{ Ref = "AWS::Region" }, "eu-central-1"] }
    error_message = "Two regions would make the same roles."
  }
  assert {
    condition     = aws_cloudformation_stack_set.members.permission_model == "SERVICE_MANAGED" && aws_cloudformation_stack_set.members.auto_deployment[0].enabled
    error_message = "New accounts are not members."
  }
}

run "a_unit_that_is_none" {
  command = plan
  module {
    source = "./modules/organization"
  }
  variables {
    organizational_units = ["Workloads"]
  }
  expect_failures = [var.organizational_units]
}

run "an_organisation_that_the_hub_does_not_know" {
  command = plan
  module {
    source = "./modules/organization"
  }
  variables {
    hub                  = { account = "999900001111", partition = "aws", region = "eu-central-1", bus_arn = "arn:aws:events:eu-central-1:999900001111:event-bus/tourniquet", settings = {} }
    organizational_units = ["ou-ab12-c3d4e5f6"]
  }
  expect_failures = [var.hub]
}
