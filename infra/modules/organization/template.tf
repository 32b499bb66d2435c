# The CloudFormation template: what modules/member makes, from the same rooms.

module "room" {
  source   = "../room"
  for_each = var.hub.settings

  name     = each.key
  settings = jsondecode(each.value)
  shared   = false
  names = {
    partition   = "$${AWS::Partition}"
    account     = "$${AWS::AccountId}"
    region      = "$${AWS::Region}"
    function    = each.key
    member_role = "tourniquet-${each.key}"
  }
}

locals {
  cfn_tags = [for key, value in local.tags : { Key = key, Value = value }]

  # `Fn::Sub` around every text that names the account.
  statements = {
    for name, room in module.room : name => [
      for statement in room.statements : merge(statement,
        { Resource = [for arn in statement.Resource : { "Fn::Sub" = arn }] },
        {
          for key, condition in statement : key => {
            for operator, tests in condition : operator => {
              for tested, values in tests : tested => [for value in flatten([values]) : { "Fn::Sub" = value }]
            }
          } if key == "Condition"
        }
      )
    ]
  }

  # A resource of CloudFormation has letters and digits in its name.
  member_roles = {
    for name, room in module.room : "Role${replace(title(name), "-", "")}" => {
      Type      = "AWS::IAM::Role"
      Condition = "MakesRoles"
      Properties = {
        RoleName    = "tourniquet-${name}"
        Description = "What Tourniquet's function ${name} does in this account: crates/${name}/permissions.json."
        Tags        = local.cfn_tags
        AssumeRolePolicyDocument = {
          Version = "2012-10-17"
          Statement = [{
            Effect    = "Allow"
            Principal = { AWS = "arn:${var.hub.partition}:iam::${var.hub.account}:root" }
            Action    = "sts:AssumeRole"
            Condition = {
              ArnEquals    = { "aws:PrincipalArn" = "arn:${var.hub.partition}:iam::${var.hub.account}:role/tourniquet-${name}" }
              StringEquals = { "aws:PrincipalOrgID" = var.hub.organization_id }
            }
          }]
        }
        Policies = [{
          PolicyName     = "function"
          PolicyDocument = { Version = "2012-10-17", Statement = local.statements[name] }
        }]
      }
    }
  }

  rules = merge([
    for name, room in module.room : {
      for trigger, pattern in room.triggers : "Rule${replace(title("${name}-${trigger}"), "-", "")}" => {
        Type = "AWS::Events::Rule"
        Properties = {
          Name         = "tourniquet-${name}-${trigger}"
          Description  = "Forwards events to Tourniquet's hub."
          EventPattern = jsondecode(pattern)
          Targets = [{
            Id               = "hub"
            Arn              = var.hub.bus_arn
            RoleArn          = { "Fn::GetAtt" = ["Forward", "Arn"] }
            RetryPolicy      = { MaximumEventAgeInSeconds = 86400, MaximumRetryAttempts = 185 }
            DeadLetterConfig = { Arn = { "Fn::GetAtt" = ["Undelivered", "Arn"] } }
          }]
        }
      }
    }
  ]...)

  by_our_rules = {
    StringEquals = { "aws:SourceAccount" = { Ref = "AWS::AccountId" } }
    ArnLike      = { "aws:SourceArn" = { "Fn::Sub" = "arn:$${AWS::Partition}:events:$${AWS::Region}:$${AWS::AccountId}:rule/tourniquet-*" } }
  }

  alarm_topic = { "Fn::FindInMap" = ["AlarmTopics", { Ref = "AWS::Region" }, "Arn"] }

  forwarding = {
    Forward = {
      Type = "AWS::IAM::Role"
      Properties = {
        RoleName    = { "Fn::Sub" = "tourniquet-forward-$${AWS::Region}" }
        Description = "Sends events to Tourniquet's hub."
        Tags        = local.cfn_tags
        AssumeRolePolicyDocument = {
          Version   = "2012-10-17"
          Statement = [{ Effect = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = "sts:AssumeRole", Condition = local.by_our_rules }]
        }
        Policies = [{
          PolicyName = "forward"
          PolicyDocument = {
            Version   = "2012-10-17"
            Statement = [{ Sid = "Forward", Effect = "Allow", Action = ["events:PutEvents"], Resource = [var.hub.bus_arn] }]
          }
        }]
      }
    }
    Undelivered = {
      Type = "AWS::SQS::Queue"
      Properties = {
        QueueName              = "tourniquet-undelivered"
        MessageRetentionPeriod = 1209600
        SqsManagedSseEnabled   = true
        Tags                   = local.cfn_tags
      }
    }
    # As in modules/member/alarm.tf.
    UndeliveredAlarm = {
      Type = "AWS::CloudWatch::Alarm"
      Properties = {
        AlarmName          = "tourniquet-undelivered"
        AlarmDescription   = { "Fn::Sub" = "EventBridge could not send an event of $${AWS::AccountId} in $${AWS::Region} to Tourniquet's hub; it is in the queue tourniquet-undelivered there." }
        Namespace          = "AWS/SQS"
        MetricName         = "ApproximateNumberOfMessagesVisible"
        Dimensions         = [{ Name = "QueueName", Value = { "Fn::GetAtt" = ["Undelivered", "QueueName"] } }]
        Statistic          = "Maximum"
        Period             = 300
        EvaluationPeriods  = 1
        Threshold          = 1
        ComparisonOperator = "GreaterThanOrEqualToThreshold"
        TreatMissingData   = "notBreaching"
        AlarmActions       = [local.alarm_topic]
        OKActions          = [local.alarm_topic]
      }
    }
    UndeliveredPolicy = {
      Type = "AWS::SQS::QueuePolicy"
      Properties = {
        Queues = [{ Ref = "Undelivered" }]
        PolicyDocument = {
          Version = "2012-10-17"
          Statement = [{
            Sid       = "Rules"
            Effect    = "Allow"
            Principal = { Service = "events.amazonaws.com" }
            Action    = "sqs:SendMessage"
            Resource  = { "Fn::GetAtt" = ["Undelivered", "Arn"] }
            Condition = local.by_our_rules
          }]
        }
      }
    }
  }

  template = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "The member part of Tourniquet, for the hub in account ${var.hub.account}."
    Mappings                 = { AlarmTopics = { for region, arn in merge(var.alarm_topics, { (local.home) = var.hub.report_topic }) : region => { Arn = arn } } }
    Conditions               = { MakesRoles = { "Fn::Equals" = [{ Ref = "AWS::Region" }, local.makes_roles] } }
    Resources                = merge(local.member_roles, local.rules, local.forwarding)
  })
}
