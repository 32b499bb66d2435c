# One function: modules/function, with the room `stop-instance`, which has settings that need permissions, and with one
# that has a schedule.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name                 = "stop-instance"
  place                = { partition = "aws", account = "111122223333", region = "eu-central-1" }
  architecture         = "arm64"
  config               = { mode = "observe", settings = {}, journal_table = "tourniquet-journal", report_topic = "arn:aws:sns:eu-central-1:111122223333:tourniquet", accounts = [], record_days = null }
  buses                = ["default"]
  schedule_group       = "tourniquet"
  alarm_topic          = "arn:aws:sns:eu-central-1:111122223333:tourniquet"
  reserved_concurrency = -1
  log_retention_days   = 400
  kms_key_arn          = null
  permissions_boundary = null
  tags                 = { application = "tourniquet" }
}

run "setup" {
  module {
    source = "./tests/setup"
  }
}

run "as_the_room_says" {
  command = plan
  module {
    source = "./modules/function"
  }
  variables {
    package = "${run.setup.dist}/stop-instance-arm64.zip"
  }

  assert {
    condition     = aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.architectures == tolist(["arm64"])
    error_message = "Not Lambda's own Linux on arm64."
  }
  assert {
    condition = jsondecode(aws_lambda_function.this.environment[0].variables.TOURNIQUET_CONFIG) == {
      account       = "111122223333"
      accounts      = []
      journal_table = "tourniquet-journal"
      mode          = "observe"
      own_role      = "arn:aws:iam::111122223333:role/mocked"
      report_topic  = "arn:aws:sns:eu-central-1:111122223333:tourniquet"
      settings      = {}
    }
    error_message = "The configuration is not what was asked for; what is null is left out."
  }
  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_format == "JSON" && aws_lambda_function.this.logging_config[0].application_log_level == "INFO"
    error_message = "Reports would not reach the log."
  }
  assert {
    condition     = length([for s in jsondecode(output.policy).Statement : s if contains(["CutConnections", "RevokeSessions", "EnterMembers"], s.Sid)]) == 0
    error_message = "Permissions of a setting that is off, or for accounts that there are none of, are deployed."
  }
  assert {
    condition     = length([for s in jsondecode(output.policy).Statement : s if contains(["Journal", "Report", "Stop", "Log", "KeepFailed"], s.Sid)]) == 5
    error_message = "Permissions are missing."
  }
  assert {
    condition     = !strcontains(output.policy, "$${")
    error_message = "A name in the policy is not filled in."
  }
  assert {
    condition = jsondecode(aws_iam_role.function.assume_role_policy).Statement[0].Condition.StringEquals == {
      "aws:SourceAccount" = "111122223333"
      "aws:SourceArn"     = "arn:aws:lambda:eu-central-1:111122223333:function:tourniquet-stop-instance"
    }
    error_message = "The role trusts more than this account's Lambda."
  }
  assert {
    condition     = keys(aws_cloudwatch_event_rule.trigger) == ["default/guardduty-finding"]
    error_message = "The rules are not those of the triggers."
  }
  assert {
    condition     = alltrue([for permission in aws_lambda_permission.trigger : permission.source_arn == aws_cloudwatch_event_rule.trigger["default/guardduty-finding"].arn])
    error_message = "Others than the rule may start the function."
  }
  assert {
    condition     = aws_cloudwatch_event_target.trigger["default/guardduty-finding"].dead_letter_config[0].arn == aws_sqs_queue.kept["undelivered"].arn
    error_message = "What cannot be delivered is lost."
  }
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["errors", "failed", "undelivered", "held", "fight"])
    error_message = "Alarms are missing."
  }
}

run "settings_bring_their_permissions" {
  command = plan
  module {
    source = "./modules/function"
  }
  variables {
    package = "${run.setup.dist}/stop-instance-arm64.zip"
    config = {
      mode          = "enforce", settings = { cut_connections = true, revoke_role_sessions = "yes" }
      journal_table = "tourniquet-journal", report_topic = "arn:aws:sns:eu-central-1:111122223333:tourniquet"
    }
  }

  assert {
    condition     = [for s in jsondecode(output.policy).Statement : s.Sid if contains(["CutConnections", "RevokeSessions"], s.Sid)] == ["CutConnections"]
    error_message = "Exactly the settings that are true bring permissions."
  }
}

run "members_bring_the_permission_to_enter_them" {
  command = plan
  module {
    source = "./modules/function"
  }
  variables {
    package = "${run.setup.dist}/stop-instance-arm64.zip"
    config = {
      mode          = "observe", settings = {}, accounts = ["444455556666"]
      journal_table = "tourniquet-journal", report_topic = "arn:aws:sns:eu-central-1:111122223333:tourniquet"
    }
  }

  assert {
    condition     = one([for s in jsondecode(output.policy).Statement : s.Resource if s.Sid == "EnterMembers"]) == ["arn:aws:iam::*:role/tourniquet-stop-instance"]
    error_message = "The function cannot enter its members."
  }
}

run "a_schedule_is_a_sweep_and_a_heartbeat" {
  command = plan
  module {
    source = "./modules/function"
  }
  variables {
    name    = "restore-trail"
    package = "${run.setup.dist}/restore-trail-arm64.zip"
  }

  assert {
    condition     = jsondecode(aws_scheduler_schedule.sweep["sweep"].target[0].input)["detail-type"] == "Scheduled Event"
    error_message = "The function would not know a sweep."
  }
  assert {
    condition     = strcontains(aws_scheduler_schedule.sweep["sweep"].target[0].input, "\"time\":\"<aws.scheduler.scheduled-time>\"")
    error_message = "Scheduler would not fill in the time."
  }
  assert {
    condition     = jsondecode(aws_iam_role.schedule["sweep"].assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceArn"] == "arn:aws:scheduler:eu-central-1:111122223333:schedule-group/tourniquet"
    error_message = "Other schedules could use the role."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.heartbeat["sweep"].treat_missing_data == "breaching"
    error_message = "Silence is no alarm."
  }
}

run "a_hub_listens_on_both_buses" {
  command = plan
  module {
    source = "./modules/function"
  }
  variables {
    package = "${run.setup.dist}/stop-instance-arm64.zip"
    buses   = ["default", "tourniquet"]
  }

  assert {
    condition     = { for key, rule in aws_cloudwatch_event_rule.trigger : rule.event_bus_name => rule.name } == { default = "tourniquet-stop-instance-guardduty-finding", tourniquet = "tourniquet-stop-instance-guardduty-finding" }
    error_message = "A bus has no rule."
  }
}

run "a_key_is_used_and_may_be_used" {
  command = plan
  module {
    source = "./modules/function"
  }
  variables {
    package     = "${run.setup.dist}/stop-instance-arm64.zip"
    kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/k"
  }

  assert {
    condition     = alltrue([for queue in aws_sqs_queue.kept : queue.kms_master_key_id == var.kms_key_arn]) && aws_cloudwatch_log_group.function.kms_key_id == var.kms_key_arn
    error_message = "Something is not encrypted with the key."
  }
  assert {
    condition     = one([for s in jsondecode(output.policy).Statement : s.Resource if s.Sid == "Key"]) == [var.kms_key_arn]
    error_message = "The function could not use the key."
  }
}

run "the_zip_is_missing" {
  command = plan
  module {
    source = "./modules/function"
  }
  variables {
    package = "${run.setup.dist}/stop-instance-riscv.zip"
  }
  expect_failures = [aws_lambda_function.this]
}

run "more_accounts_than_fit" {
  command = plan
  module {
    source = "./modules/function"
  }
  variables {
    package = "${run.setup.dist}/stop-instance-arm64.zip"
    config = {
      mode          = "observe", settings = {}, accounts = [for n in range(300) : format("%012d", n)]
      journal_table = "tourniquet-journal", report_topic = "arn:aws:sns:eu-central-1:111122223333:tourniquet"
    }
  }
  expect_failures = [aws_lambda_function.this]
}
