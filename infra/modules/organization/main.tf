# The member part in every account of some organisational units, by CloudFormation, which reaches accounts that no
# provider is configured for and those that are made tomorrow.

locals {
  home    = var.hub.region
  regions = coalesce(var.regions, [local.home])

  # IAM has no region: the stack of one region makes an account's roles. The hub's, so that a region that is added later
  # does not take its place.
  makes_roles = contains(local.regions, local.home) ? local.home : sort(local.regions)[0]
  tags        = merge({ application = "tourniquet" }, var.tags)
}

resource "aws_cloudformation_stack_set" "members" {
  # StackSets of all administrators share the management account's names, so each hub has its own.
  name             = "tourniquet-members-${var.hub.account}"
  description      = "Forwards events to Tourniquet's hub in account ${var.hub.account} and lets its functions answer them."
  permission_model = "SERVICE_MANAGED"
  call_as          = var.call_as
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  template_body    = local.template
  tags             = local.tags

  auto_deployment {
    enabled                          = true
    retain_stacks_on_account_removal = false
  }

  operation_preferences {
    region_concurrency_type      = "PARALLEL"
    max_concurrent_percentage    = 100
    failure_tolerance_percentage = 10
  }

  lifecycle {
    # AWS fills it in where permissions are service-managed.
    ignore_changes = [administration_role_arn]

    precondition {
      condition     = length(local.template) <= 51200
      error_message = "The template of the members has ${length(local.template)} bytes, and CloudFormation takes 51,200: deploy fewer functions."
    }
  }
}

resource "aws_cloudformation_stack_set_instance" "members" {
  for_each = local.regions

  stack_set_name = aws_cloudformation_stack_set.members.name
  region         = each.value
  call_as        = var.call_as
  retain_stack   = false

  deployment_targets {
    organizational_unit_ids = var.organizational_units
  }

  operation_preferences {
    max_concurrent_percentage    = 100
    failure_tolerance_percentage = 10
  }
}
