# One account and region whose events the hub answers: rules that forward them, and the roles that the hub's functions
# assume. Another region of the hub's own account needs the rules alone.

# What they must be is said at the role that forwards: a condition on them that looks at the hub would put off their
# reading until the hub is there.
data "aws_caller_identity" "here" {}

data "aws_region" "here" {}

module "room" {
  source   = "../room"
  for_each = var.hub.settings

  name     = each.key
  settings = jsondecode(each.value)
  shared   = false
  names = {
    partition   = var.hub.partition
    account     = local.account
    region      = local.region
    function    = each.key
    member_role = "tourniquet-${each.key}"
  }
}

locals {
  account = data.aws_caller_identity.here.account_id
  region  = data.aws_region.here.id
  tags    = merge({ application = "tourniquet" }, var.tags)

  by_our_rules = {
    StringEquals = { "aws:SourceAccount" = local.account }
    ArnLike      = { "aws:SourceArn" = "arn:${var.hub.partition}:events:${local.region}:${local.account}:rule/tourniquet-*" }
  }

  roles = coalesce(var.roles, local.account != var.hub.account) ? var.hub.settings : {}
  rules = merge([
    for name, room in module.room : { for trigger, pattern in room.triggers : "tourniquet-${name}-${trigger}" => pattern }
  ]...)
}

# What the function may do here: what its room says, and no more.
resource "aws_iam_role" "member" {
  for_each = local.roles

  name                 = "tourniquet-${each.key}"
  description          = "What Tourniquet's function ${each.key} does in this account: crates/${each.key}/permissions.json."
  permissions_boundary = var.permissions_boundary
  tags                 = local.tags
  # The hub's account with a condition on the role, and not the role itself: IAM would remember the role by an inner
  # id, and a role of the hub that is made anew would be shut out.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:${var.hub.partition}:iam::${var.hub.account}:root" }
      Action    = "sts:AssumeRole"
      Condition = merge(
        { ArnEquals = { "aws:PrincipalArn" = "arn:${var.hub.partition}:iam::${var.hub.account}:role/tourniquet-${each.key}" } },
        { for id in var.hub.organization_id[*] : "StringEquals" => { "aws:PrincipalOrgID" = id } }
      )
    }]
  })
}

resource "aws_iam_role_policy" "member" {
  for_each = local.roles

  name   = "function"
  role   = aws_iam_role.member[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = module.room[each.key].statements })
}

resource "aws_cloudwatch_event_rule" "forward" {
  for_each = local.rules

  name          = each.key
  description   = "Forwards events to Tourniquet's hub."
  event_pattern = each.value
  tags          = local.tags
}

resource "aws_cloudwatch_event_target" "forward" {
  for_each = local.rules

  rule      = aws_cloudwatch_event_rule.forward[each.key].name
  target_id = "hub"
  arn       = var.hub.bus_arn
  role_arn  = aws_iam_role.forward.arn

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }
}

# The role has a name for each region, so that each region stands and falls alone.
resource "aws_iam_role" "forward" {
  name                 = "tourniquet-forward-${local.region}"
  description          = "Sends events of ${local.region} to Tourniquet's hub."
  permissions_boundary = var.permissions_boundary
  tags                 = local.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = local.by_our_rules
    }]
  })

  lifecycle {
    precondition {
      condition     = local.account != var.hub.account || local.region != var.hub.region
      error_message = "This is the hub's own account and region, ${local.region}, whose events its functions get already: give the module a provider of another account or region."
    }
    precondition {
      condition     = local.account == var.hub.account || contains(var.hub.accounts, local.account)
      error_message = "The hub answers no events of this account, ${local.account}: add \"${local.account}\" to the hub's `accounts`."
    }
  }
}

resource "aws_iam_role_policy" "forward" {
  name = "forward"
  role = aws_iam_role.forward.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Forward", Effect = "Allow", Action = ["events:PutEvents"], Resource = [var.hub.bus_arn] }]
  })
}

# What could not be sent to the hub: a policy that is not there yet, a hub that is gone.
resource "aws_sqs_queue" "undelivered" {
  name                      = "tourniquet-undelivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = local.tags
}

resource "aws_sqs_queue_policy" "undelivered" {
  queue_url = aws_sqs_queue.undelivered.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Rules"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.undelivered.arn
      Condition = local.by_our_rules
    }]
  })
}
