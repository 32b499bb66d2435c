# What a deployment is made of: every room, observing, with what its files say.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "setup" {
  module {
    source = "./tests/setup"
  }
}

run "a_fresh_deployment_has_every_room_and_observes" {
  command = plan
  variables {
    dist = run.setup.dist
  }

  assert {
    condition     = tolist(keys(output.functions)) == run.setup.functions
    error_message = "Not every room is deployed."
  }
  assert {
    condition     = alltrue([for function in output.functions : function.mode == "observe"])
    error_message = "A function of a fresh deployment does not observe."
  }
  assert {
    condition     = output.hub == null && length(aws_cloudwatch_event_bus.hub) == 0
    error_message = "One account and region needs no bus of its own."
  }
  assert {
    condition     = aws_dynamodb_table.journal.deletion_protection_enabled && aws_dynamodb_table.journal.point_in_time_recovery[0].enabled
    error_message = "The journal is not protected."
  }
  assert {
    condition     = aws_dynamodb_table.journal.ttl[0].attribute_name == "expires" && tolist(aws_dynamodb_table.journal.global_secondary_index)[0].name == "watched"
    error_message = "The journal is not the one that the functions expect."
  }
}

run "one_function_enforces_and_one_is_left_out" {
  command = plan
  variables {
    dist = run.setup.dist
    functions = {
      (run.setup.functions[0]) = { mode = "enforce" }
      (run.setup.functions[1]) = { deploy = false }
    }
  }

  assert {
    condition     = [for name, function in output.functions : name if function.mode == "enforce"] == [run.setup.functions[0]]
    error_message = "Exactly the named function enforces."
  }
  assert {
    condition     = !contains(keys(output.functions), run.setup.functions[1])
    error_message = "A function that is not to be deployed is."
  }
}

run "an_exemption_is_an_item_that_the_functions_read" {
  command = plan
  variables {
    dist = run.setup.dist
    exemptions = [
      { function = "stop-instance", subject = "i-*", account = "444455556666", reason = "bastion", owner = "sre", ends = "2999-01-31" }
    ]
  }

  assert {
    condition = jsondecode(one(values(aws_dynamodb_table_item.exemption)).item) == {
      pk      = { S = "exemption#stop-instance#444455556666" }
      sk      = { S = "terraform#*#i-*#*" }
      subject = { S = "i-*" }
      region  = { S = "*" }
      reason  = { S = "bastion" }
      owner   = { S = "sre" }
      ends    = { S = "2999-01-31" }
    }
    error_message = "The item is not what shared/src/journal reads."
  }
}

run "an_exemption_holds_until_the_end_of_its_day" {
  command = plan
  variables {
    dist = run.setup.dist
    exemptions = [
      { function = "stop-instance", subject = "i-1", reason = "bastion", owner = "sre", ends = formatdate("YYYY-MM-DD", timestamp()) }
    ]
  }

  assert {
    condition     = length(aws_dynamodb_table_item.exemption) == 1
    error_message = "An exemption that ends today is refused."
  }
}

run "the_hub_takes_events_of_the_organisation_only" {
  command = plan
  variables {
    dist            = run.setup.dist
    organization_id = "o-a1b2c3d4e5"
    accounts        = ["444455556666"]
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_bus_policy.hub[0].policy).Statement[0].Condition.StringEquals["aws:PrincipalOrgID"] == "o-a1b2c3d4e5"
    error_message = "The bus is open to others."
  }
  assert {
    condition     = output.hub.bus_arn == aws_cloudwatch_event_bus.hub[0].arn && output.hub.account == "111122223333"
    error_message = "Members do not learn where the hub is."
  }
  assert {
    condition     = output.hub.report_topic == output.report_topic && output.hub.accounts == toset(["444455556666"])
    error_message = "Members do not learn who hears their alarms."
  }
}

run "without_an_organisation_only_named_accounts" {
  command = plan
  variables {
    dist     = run.setup.dist
    accounts = ["444455556666"]
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_bus_policy.hub[0].policy).Statement[0].Principal.AWS == ["arn:aws:iam::444455556666:root"]
    error_message = "The bus is open to others."
  }
}

run "other_regions_need_a_bus_and_no_policy" {
  command = plan
  variables {
    dist = run.setup.dist
    hub  = true
  }

  assert {
    condition     = length(aws_cloudwatch_event_bus.hub) == 1 && length(aws_cloudwatch_event_bus_policy.hub) == 0
    error_message = "A bus for the account's own regions is open to nobody else."
  }
}

run "everything_carries_the_tags" {
  command = plan
  variables {
    dist = run.setup.dist
    tags = { team = "security" }
  }

  assert {
    condition     = aws_dynamodb_table.journal.tags == tomap({ application = "tourniquet", team = "security" })
    error_message = "Tags are missing."
  }
}

run "chat_can_show_and_not_do" {
  command = plan
  variables {
    dist  = run.setup.dist
    slack = { team_id = "T0123ABCD", channel_id = "C0123ABCD" }
  }

  assert {
    condition     = aws_chatbot_slack_channel_configuration.reports[0].guardrail_policy_arns == tolist(["arn:aws:iam::aws:policy/AWSDenyAll"])
    error_message = "The channel can do something."
  }
}
