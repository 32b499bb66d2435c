# The hub's bus: events of other accounts, and of other regions of this one. Those of this account and region come on
# the default bus, so that opening the hub to others does not open that.

resource "aws_cloudwatch_event_bus" "hub" {
  count = local.is_hub ? 1 : 0

  name               = "tourniquet"
  description        = "Events that members and other regions forward to Tourniquet's functions."
  kms_key_identifier = var.kms_key_arn
  tags               = local.tags
}

# Members of the organisation, or else the accounts by name; in both cases only by the role that forwards. Other regions
# of this account need no permission but that role's own.
resource "aws_cloudwatch_event_bus_policy" "hub" {
  count = var.organization_id != null || length(var.accounts) > 0 ? 1 : 0

  event_bus_name = aws_cloudwatch_event_bus.hub[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Members"
      Effect    = "Allow"
      Principal = { AWS = var.organization_id != null ? ["*"] : [for account in sort(var.accounts) : "arn:${local.place.partition}:iam::${account}:root"] }
      Action    = "events:PutEvents"
      Resource  = aws_cloudwatch_event_bus.hub[0].arn
      Condition = merge(
        { ArnLike = { "aws:PrincipalArn" = "arn:${local.place.partition}:iam::*:role/tourniquet-forward-*" } },
        { for id in var.organization_id[*] : "StringEquals" => { "aws:PrincipalOrgID" = id } }
      )
    }]
  })
}
