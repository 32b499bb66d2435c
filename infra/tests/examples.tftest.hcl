# Each example can be planned.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "aws" {
  alias           = "ireland"
  source          = "./tests/mocks"
  override_during = plan

  override_data {
    target = module.ireland.data.aws_region.here
    values = { id = "eu-west-1" }
  }
}

mock_provider "aws" {
  alias           = "virginia"
  source          = "./tests/mocks"
  override_during = plan

  override_data {
    target = module.virginia.data.aws_region.here
    values = { id = "us-east-1" }
  }
  override_data {
    target = module.own_virginia.data.aws_region.here
    values = { id = "us-east-1" }
  }
}

run "setup" {
  module {
    source = "./tests/setup"
  }
}

run "single_account" {
  command = plan
  module {
    source = "./examples/single-account"
  }
  variables {
    dist          = run.setup.dist
    bastion_until = "2999-12-31"
  }

  assert {
    condition     = [for name, function in output.functions : name if function.mode == "enforce"] == ["stop-instance"]
    error_message = "The example says that one function enforces."
  }
}

run "multi_region" {
  command = plan
  module {
    source = "./examples/multi-region"
  }
  variables {
    dist = run.setup.dist
  }

  assert {
    condition     = tolist(keys(output.functions)) == run.setup.functions
    error_message = "Not every room is deployed."
  }
}

run "organization" {
  command = plan
  module {
    source = "./examples/organization"
  }
  variables {
    dist                 = run.setup.dist
    organization_id      = "o-a1b2c3d4e5"
    organizational_units = ["ou-ab12-c3d4e5f6"]
    accounts             = ["444455556666"]
  }

  assert {
    condition     = length([for resource in jsondecode(output.member_template).Resources : resource if resource.Type == "AWS::IAM::Role"]) == length(run.setup.functions) + 1
    error_message = "A member does not have a role for each function."
  }
}
