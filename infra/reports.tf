# Where people are told: the functions' reports and the alarms.

module "reports" {
  source = "./modules/topic"

  accounts    = var.accounts
  emails      = var.emails
  kms_key_arn = var.kms_key_arn
  tags        = local.tags
}

resource "aws_chatbot_slack_channel_configuration" "reports" {
  count = var.slack == null ? 0 : 1

  configuration_name    = "tourniquet"
  slack_team_id         = var.slack.team_id
  slack_channel_id      = var.slack.channel_id
  sns_topic_arns        = [module.reports.arn]
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
