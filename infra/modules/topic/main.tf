# Where people are told, in one region: a topic for reports and for the alarms of some accounts.
#
# CloudWatch's alarms reach topics of other accounts, whose policy must let them in, but of no other region.

# Without a key of your own it is not encrypted at rest: AWS's managed key would shut CloudWatch's alarms out.
resource "aws_sns_topic" "this" {
  name              = "tourniquet"
  display_name      = "Tourniquet"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

locals {
  # arn:<partition>:sns:<region>:<account>:tourniquet
  place = zipmap(["arn", "partition", "service", "region", "account", "name"], split(":", aws_sns_topic.this.arn))
}

resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # The functions publish by their own roles; subscriptions and the rest are this account's, by its policies.
        Sid       = "Owner"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.place.partition}:iam::${local.place.account}:root" }
        Action    = ["sns:GetTopicAttributes", "sns:Publish", "sns:SetTopicAttributes", "sns:Subscribe"]
        Resource  = aws_sns_topic.this.arn
      },
      {
        Sid       = "Alarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this.arn
        Condition = {
          StringEquals = { "aws:SourceAccount" = distinct(concat([local.place.account], sort(var.accounts))) }
          ArnLike      = { "aws:SourceArn" = "arn:${local.place.partition}:cloudwatch:${local.place.region}:*:alarm:tourniquet-*" }
        }
      },
      {
        Sid       = "NoPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.emails

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}
