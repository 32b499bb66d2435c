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
    report_topic    = "arn:aws:sns:eu-central-1:999900001111:tourniquet"
    organization_id = "o-a1b2c3d4e5"
    accounts        = ["111122223333", "444455556666"]
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
  assert {
    condition     = aws_cloudwatch_metric_alarm.undelivered.dimensions["QueueName"] == aws_sqs_queue.undelivered.name && aws_cloudwatch_metric_alarm.undelivered.alarm_actions == toset([var.hub.report_topic])
    error_message = "Nobody hears of an event that could not be sent to the hub."
  }
}

run "an_account_that_the_hub_does_not_answer" {
  command = plan
  module {
    source = "./modules/member"
  }
  variables {
    hub = {
      account      = "999900001111"
      partition    = "aws"
      region       = "eu-central-1"
      bus_arn      = "arn:aws:events:eu-central-1:999900001111:event-bus/tourniquet"
      report_topic = "arn:aws:sns:eu-central-1:999900001111:tourniquet"
      accounts     = ["444455556666"]
      settings     = {}
    }
  }
  expect_failures = [aws_iam_role.forward]
}

run "another_region_of_the_hub_only_forwards" {
  command = plan
  module {
    source = "./modules/member"
  }
  variables {
    hub = {
      account      = "111122223333"
      partition    = "aws"
      region       = "us-east-1"
      bus_arn      = "arn:aws:events:us-east-1:111122223333:event-bus/tourniquet"
      report_topic = "arn:aws:sns:us-east-1:111122223333:tourniquet"
      accounts     = ["444455556666"]
      settings     = { stop-instance = "{}" }
    }
    emails = ["security@example.com"]
  }

  assert {
    condition     = length(aws_iam_role.member) == 0 && length(aws_cloudwatch_event_rule.forward) == 1
    error_message = "The hub's account has the functions' own roles."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.undelivered.alarm_actions == toset(["arn:aws:sns:eu-central-1:111122223333:tourniquet"]) && output.alarm_topic == "arn:aws:sns:eu-central-1:111122223333:tourniquet"
    error_message = "The alarm goes to a topic of another region, which it cannot reach."
  }
}

run "a_region_whose_alarm_nobody_hears" {
  command = plan
  module {
    source = "./modules/member"
  }
  variables {
    hub = {
      account      = "111122223333"
      partition    = "aws"
      region       = "us-east-1"
      bus_arn      = "arn:aws:events:us-east-1:111122223333:event-bus/tourniquet"
      report_topic = "arn:aws:sns:us-east-1:111122223333:tourniquet"
      accounts     = ["444455556666"]
      settings     = { stop-instance = "{}" }
    }
  }
  expect_failures = [aws_cloudwatch_metric_alarm.undelivered]
}

run "a_topic_hears_alarms_of_its_accounts_only" {
  command = plan
  module {
    source = "./modules/topic"
  }
  variables {
    accounts    = ["444455556666"]
    emails      = ["security@example.com"]
    kms_key_arn = null
    tags        = { application = "tourniquet" }
  }

  assert {
    condition = one([for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : s.Condition if s.Sid == "Alarms"]) == {
      StringEquals = { "aws:SourceAccount" = ["111122223333", "444455556666"] }
      ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:eu-central-1:*:alarm:tourniquet-*" }
    }
    error_message = "Alarms of others are heard, or those of a member are not."
  }
  assert {
    condition     = one(values(aws_sns_topic_subscription.email)).endpoint == "security@example.com" && aws_sns_topic.this.tags == tomap({ application = "tourniquet" })
    error_message = "Nobody is subscribed, or the tags are missing."
  }
}

run "the_hubs_own_region_is_refused" {
  command = plan
  module {
    source = "./modules/member"
  }
  variables {
    hub = {
      account      = "111122223333"
      partition    = "aws"
      region       = "eu-central-1"
      bus_arn      = "arn:aws:events:eu-central-1:111122223333:event-bus/tourniquet"
      report_topic = "arn:aws:sns:eu-central-1:111122223333:tourniquet"
      accounts     = []
      settings     = {}
    }
  }
  expect_failures = [aws_iam_role.forward]
}

run "the_template_says_the_same" {
  command = plan
  module {
    source = "./modules/organization"
  }
  variables {
    organizational_units = ["ou-ab12-c3d4e5f6"]
    regions              = ["eu-central-1", "us-east-1"]
    alarm_topics         = { us-east-1 = "arn:aws:sns:us-east-1:999900001111:tourniquet" }
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
    condition = jsondecode(output.template).Mappings.AlarmTopics == {
      eu-central-1 = { Arn = "arn:aws:sns:eu-central-1:999900001111:tourniquet" }
      us-east-1    = { Arn = "arn:aws:sns:us-east-1:999900001111:tourniquet" }
    } && jsondecode(output.template).Resources.UndeliveredAlarm.Properties.AlarmActions == [{ "Fn::FindInMap" = ["AlarmTopics", { Ref = "AWS::Region" }, "Arn"] }]
    error_message = "The alarm does not go to the topic of its region."
  }
  assert {
    condition     = aws_cloudformation_stack_set.members.permission_model == "SERVICE_MANAGED" && aws_cloudformation_stack_set.members.auto_deployment[0].enabled
    error_message = "New accounts are not members."
  }
}

run "a_region_of_the_organisation_whose_alarms_nobody_hears" {
  command = plan
  module {
    source = "./modules/organization"
  }
  variables {
    organizational_units = ["ou-ab12-c3d4e5f6"]
    regions              = ["eu-central-1", "us-east-1"]
  }
  expect_failures = [var.alarm_topics]
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
    hub                  = { account = "999900001111", partition = "aws", region = "eu-central-1", bus_arn = "arn:aws:events:eu-central-1:999900001111:event-bus/tourniquet", report_topic = "arn:aws:sns:eu-central-1:999900001111:tourniquet", settings = {} }
    organizational_units = ["ou-ab12-c3d4e5f6"]
  }
  expect_failures = [var.hub]
}
