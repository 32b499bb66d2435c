# Bad input: the plan fails. Each message says what to write instead; see variables.tf.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "setup" {
  module {
    source = "./tests/setup"
  }
}

run "another_region_than_meant" {
  command = plan
  variables {
    dist   = run.setup.dist
    region = "eu-west-1"
  }
  expect_failures = [data.aws_region.here]
}

run "no_region" {
  command = plan
  variables {
    dist   = run.setup.dist
    region = "Frankfurt"
  }
  expect_failures = [var.region]
}

run "another_account_than_meant" {
  command = plan
  variables {
    dist    = run.setup.dist
    account = "444455556666"
  }
  expect_failures = [data.aws_caller_identity.here]
}

run "a_function_that_does_not_exist" {
  command = plan
  variables {
    dist      = run.setup.dist
    functions = { stop-instances = { mode = "enforce" } }
  }
  expect_failures = [var.functions]
}

run "settings_of_a_function_that_does_not_exist" {
  command = plan
  variables {
    dist     = run.setup.dist
    settings = { stop-instances = {} }
  }
  expect_failures = [var.settings]
}

run "settings_that_are_no_object" {
  command = plan
  variables {
    dist     = run.setup.dist
    settings = { stop-instance = "cut_connections" }
  }
  expect_failures = [var.settings]
}

run "a_mode_that_does_not_exist" {
  command = plan
  variables {
    dist      = run.setup.dist
    functions = { stop-instance = { mode = "enforced" } }
  }
  expect_failures = [var.functions]
}

run "a_function_that_is_deployed_perhaps" {
  command = plan
  variables {
    dist      = run.setup.dist
    functions = { stop-instance = { deploy = "perhaps" } }
  }
  expect_failures = [var.functions]
}

run "a_misspelt_key_of_a_function" {
  command = plan
  variables {
    dist      = run.setup.dist
    functions = { stop-instance = { modus = "enforce" } }
  }
  expect_failures = [var.functions]
}

run "a_misspelt_key_of_an_exemption" {
  command = plan
  variables {
    dist = run.setup.dist
    exemptions = [
      { function = "stop-instance", subject = "i-1", reason = "bastion", owner = "sre", ends = "2999-01-31", scopes = "x" }
    ]
  }
  expect_failures = [var.exemptions]
}

run "a_limit_that_would_hold_everything" {
  command = plan
  variables {
    dist      = run.setup.dist
    functions = { stop-instance = { changes_per_hour = 0 } }
  }
  expect_failures = [var.functions]
}

run "a_concurrency_that_would_switch_off" {
  command = plan
  variables {
    dist      = run.setup.dist
    functions = { stop-instance = { reserved_concurrency = 0 } }
  }
  expect_failures = [var.functions]
}

run "an_account_that_is_none" {
  command = plan
  variables {
    dist     = run.setup.dist
    accounts = ["1234"]
  }
  expect_failures = [var.accounts]
}

run "an_organisation_that_is_none" {
  command = plan
  variables {
    dist            = run.setup.dist
    organization_id = "ou-ab12-c3d4e5f6"
  }
  expect_failures = [var.organization_id]
}

run "an_architecture_that_does_not_exist" {
  command = plan
  variables {
    dist         = run.setup.dist
    architecture = "aarch64"
  }
  expect_failures = [var.architecture]
}

run "an_expired_exemption" {
  command = plan
  variables {
    dist = run.setup.dist
    exemptions = [
      { function = "stop-instance", subject = "i-1", reason = "bastion", owner = "sre", ends = "2024-02-29" }
    ]
  }
  expect_failures = [aws_dynamodb_table_item.exemption]
}

run "an_exemption_without_a_reason" {
  command = plan
  variables {
    dist = run.setup.dist
    exemptions = [
      { function = "stop-instance", subject = "i-1", reason = " ", owner = "sre", ends = "2999-01-31" }
    ]
  }
  expect_failures = [var.exemptions]
}

run "an_exemption_without_an_end" {
  command = plan
  variables {
    dist = run.setup.dist
    exemptions = [
      { function = "stop-instance", subject = "i-1", reason = "bastion", owner = "sre", ends = "never" }
    ]
  }
  expect_failures = [var.exemptions]
}

run "an_exemption_from_a_function_that_does_not_exist" {
  command = plan
  variables {
    dist = run.setup.dist
    exemptions = [
      { function = "stop", subject = "i-1", reason = "bastion", owner = "sre", ends = "2999-01-31" }
    ]
  }
  expect_failures = [var.exemptions]
}

run "a_retention_that_cloudwatch_does_not_know" {
  command = plan
  variables {
    dist               = run.setup.dist
    log_retention_days = 100
  }
  expect_failures = [var.log_retention_days]
}

run "a_key_by_its_alias" {
  command = plan
  variables {
    dist        = run.setup.dist
    kms_key_arn = "alias/mine"
  }
  expect_failures = [var.kms_key_arn]
}
