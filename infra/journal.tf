# The journal: plans before they are applied, outcomes after, exemptions and the change limit. Its keys are described in
# ARCHITECTURE.md.

resource "aws_dynamodb_table" "journal" {
  #checkov:skip=CKV_AWS_119:A customer managed key is optional (kms_key_arn); without one DynamoDB encrypts with its own.
  name                        = "tourniquet-journal"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = var.deletion_protection
  tags                        = local.tags

  dynamic "attribute" {
    for_each = toset(["pk", "sk", "watched"])
    content {
      name = attribute.value
      type = "S"
    }
  }

  # Sparse: only the records that sweeps come back to.
  global_secondary_index {
    name            = "watched"
    hash_key        = "watched"
    range_key       = "sk"
    projection_type = "ALL"
  }

  ttl {
    attribute_name = "expires"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = var.kms_key_arn != null
    kms_key_arn = var.kms_key_arn
  }
}

locals {
  exemption_keys = ["account", "ends", "function", "owner", "reason", "region", "scope", "subject"]
  exemptions = {
    for e in [for said in var.exemptions : merge({ account = local.place.account, region = "*", scope = null, ends = "" }, said)] :
    join("/", [e.function, e.account, e.region, e.subject, coalesce(e.scope, "*")]) => merge(e, {
      # A date ends with its last second, as in the functions (shared/src/exemption.rs).
      until = can(timeadd(e.ends, "0s")) ? e.ends : try(timeadd("${e.ends}T00:00:00Z", "24h"), e.ends)
    })
  }
}

resource "aws_dynamodb_table_item" "exemption" {
  for_each = local.exemptions

  table_name = aws_dynamodb_table.journal.name
  hash_key   = aws_dynamodb_table.journal.hash_key
  range_key  = aws_dynamodb_table.journal.range_key

  item = jsonencode({
    for name, text in {
      pk      = "exemption#${each.value.function}#${each.value.account}"
      sk      = "terraform#${each.value.region}#${each.value.subject}#${coalesce(each.value.scope, "*")}"
      subject = each.value.subject
      region  = each.value.region
      scope   = each.value.scope
      reason  = each.value.reason
      owner   = each.value.owner
      ends    = each.value.ends
    } : name => { S = text } if text != null
  })

  lifecycle {
    precondition {
      condition     = timecmp(each.value.until, plantimestamp()) > 0
      error_message = "The exemption of ${each.value.subject} from ${each.value.function} ended at ${each.value.ends} (reason: ${each.value.reason}; owner: ${each.value.owner}): take it out of `exemptions`, or write a later `ends` if it is still meant."
    }
  }
}
