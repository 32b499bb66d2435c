# The function's role: what the room says, what every room needs, and what Lambda does on the function's behalf.

resource "aws_iam_role" "function" {
  name                 = local.name
  description          = "Tourniquet's function ${var.name}. Its permissions: crates/${var.name}/permissions.json."
  permissions_boundary = var.permissions_boundary
  tags                 = local.tags
  assume_role_policy   = local.trust.lambda
}

locals {
  # Which service takes a role of this function, and for what alone. EventBridge Scheduler names the group, not the schedule.
  trust = {
    for service, source in { lambda = "function:${local.name}", scheduler = "schedule-group/${var.schedule_group}" } :
    service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Principal = { Service = "${service}.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = var.place.account
            "aws:SourceArn"     = "arn:${var.place.partition}:${service}:${var.place.region}:${var.place.account}:${source}"
          }
        }
      }]
    })
  }

  # Calls that Lambda makes with the role and that the function's code never makes.
  by_lambda = concat([
    {
      Sid      = "Log"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["${aws_cloudwatch_log_group.function.arn}:*"]
    },
    {
      Sid      = "KeepFailed"
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = [aws_sqs_queue.kept["failed"].arn]
    },
    ], [for key in var.kms_key_arn[*] : {
      Sid      = "Key"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = [key]
  }])

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(module.room.statements, local.by_lambda)
  })
}

resource "aws_iam_role_policy" "function" {
  name   = "function"
  role   = aws_iam_role.function.id
  policy = local.policy

  lifecycle {
    precondition {
      condition     = length(local.policy) <= 10240
      error_message = "The policy of ${var.name} has ${length(local.policy)} characters, and IAM allows 10,240 in a role: shorten crates/${var.name}/permissions.json."
    }
  }
}
