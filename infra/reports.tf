# Where people are told: the functions' reports and the alarms.

# Without a key of your own it is not encrypted at rest: AWS's managed key would shut CloudWatch's alarms out.
resource "aws_sns_topic" "reports" {
  name              = "tourniquet"
  display_name      = "Tourniquet"
  kms_master_key_id = var.kms_key_arn
  tags              = local.tags
}

resource "aws_sns_topic_policy" "reports" {
  arn = aws_sns_topic.reports.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # The functions publish by their own roles; subscriptions and the rest are this account's, by its policies.
        Sid       = "Owner"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.place.partition}:iam::${local.place.account}:root" }
        Action    = ["sns:GetTopicAttributes", "sns:Publish", "sns:SetTopicAttributes", "sns:Subscribe"]
        Resource  = aws_sns_topic.reports.arn
      },
      {
        Sid       = "Alarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.reports.arn
        Condition = {
          StringEquals = { "aws:SourceAccount" = local.place.account }
          ArnLike      = { "aws:SourceArn" = "arn:${local.place.partition}:cloudwatch:${local.place.region}:${local.place.account}:alarm:tourniquet-*" }
        }
      },
      {
        Sid       = "NoPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.reports.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.emails

  topic_arn = aws_sns_topic.reports.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_chatbot_slack_channel_configuration" "reports" {
  count = var.slack == null ? 0 : 1

  configuration_name    = "tourniquet"
  slack_team_id         = var.slack.team_id
  slack_channel_id      = var.slack.channel_id
  sns_topic_arns        = [aws_sns_topic.reports.arn]
  iam_role_arn          = aws_iam_role.chat[0].arn
  guardrail_policy_arns = ["arn:${local.place.partition}:iam::aws:policy/AWSDenyAll"]
  logging_level         = "ERROR"
  tags                  = local.tags
}

# The channel shows reports and can do nothing: its role has no policy, and the guardrail denies everything.
resource "aws_iam_role" "chat" {
  count = var.slack == null ? 0 : 1

  name                 = "tourniquet-chat"
  description          = "Shows Tourniquet's reports in a chat channel; no permissions."
  permissions_boundary = var.permissions_boundary
  tags                 = local.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "chatbot.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.place.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.place.partition}:chatbot::${local.place.account}:chat-configuration/slack-channel/tourniquet" }
      }
    }]
  })
}
