# One deployment: one account and region, from which other accounts and regions can be answered too.
#
# What a function is stands in its room, ../crates/<function>/, and is read from there: triggers, permissions, memory,
# timeout, schedule. A folder with a function.json is a function; no name of one is written in this folder.

data "aws_partition" "here" {}

data "aws_caller_identity" "here" {
  lifecycle {
    postcondition {
      condition     = var.account == null || self.account_id == var.account
      error_message = "The credentials are of account ${self.account_id}, but `account` says ${coalesce(var.account, "nothing")}: take credentials of that account, or write account = \"${self.account_id}\"."
    }
  }
}

# `id`, which is the region's code in the provider's lines 5 and 6; `name` is deprecated in 6, `region` unknown to 5.
data "aws_region" "here" {
  lifecycle {
    postcondition {
      condition     = var.region == null || self.id == var.region
      error_message = "The provider works in ${self.id}, but `region` says ${coalesce(var.region, "nothing")}: set AWS_REGION=${coalesce(var.region, self.id)}, or write region = \"${self.id}\"."
    }
  }
}

locals {
  place = {
    partition = data.aws_partition.here.partition
    account   = data.aws_caller_identity.here.account_id
    region    = data.aws_region.here.id
  }

  rooms = sort([for manifest in fileset("${path.module}/../crates", "*/function.json") : dirname(manifest)])

  # What holds for a function of which nothing is said; null is its own default (shared/src/settings.rs).
  unsaid = {
    deploy               = "true"
    mode                 = "observe"
    changes_per_hour     = null
    exempt_by_tag        = null
    reserved_concurrency = "-1"
  }
  functions = {
    for name in local.rooms : name => merge(local.unsaid, lookup(var.functions, name, {}))
    if tobool(lookup(lookup(var.functions, name, {}), "deploy", "true"))
  }
  settings = { for name in keys(local.functions) : name => try(var.settings[name], {}) }

  is_hub = var.hub || var.organization_id != null || length(var.accounts) > 0

  # On every resource by name and not by the provider's default_tags, so that this folder works as a module too.
  tags = merge({ application = "tourniquet" }, var.tags)
}
