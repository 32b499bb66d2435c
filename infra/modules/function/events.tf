# What starts the function: a rule for each trigger on each bus, and its schedule. What does not reach it, and what it
# fails at three times, is kept in queues.

locals {
  rules = {
    for pair in setproduct(var.buses, keys(module.room.triggers)) :
    "${pair[0]}/${pair[1]}" => { bus = pair[0], trigger = pair[1] }
  }
}

resource "aws_cloudwatch_event_rule" "trigger" {
  for_each = local.rules

  name           = "${local.name}-${each.value.trigger}"
  description    = "crates/${var.name}/triggers/${each.value.trigger}.json"
  event_bus_name = each.value.bus
  event_pattern  = module.room.triggers[each.value.trigger]
  tags           = local.tags

  lifecycle {
    precondition {
      condition     = length("${local.name}-${each.value.trigger}") <= 64
      error_message = "EventBridge allows 64 characters in a rule's name: rename crates/${var.name}/triggers/${each.value.trigger}.json."
    }
  }
}

resource "aws_cloudwatch_event_target" "trigger" {
  for_each = local.rules

  rule           = aws_cloudwatch_event_rule.trigger[each.key].name
  event_bus_name = each.value.bus
  target_id      = "function"
  arn            = aws_lambda_function.this.arn

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.kept["undelivered"].arn
  }
}

resource "aws_lambda_permission" "trigger" {
  for_each = local.rules

  statement_id   = "rule-${replace(each.key, "/", "-")}"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this.function_name
  principal      = "events.amazonaws.com"
  source_account = var.place.account
  source_arn     = aws_cloudwatch_event_rule.trigger[each.key].arn
}

# Lambda's own retries, after the function has been reached. Six hours is the longest that Lambda keeps an event which
# throttling holds back.
resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_event_age_in_seconds = 21600
  maximum_retry_attempts       = 2

  destination_config {
    on_failure {
      destination = aws_sqs_queue.kept["failed"].arn
    }
  }

  # Lambda checks that the role may send there.
  depends_on = [aws_iam_role_policy.function]
}

# failed: what the function could not answer, with the error. undelivered: what EventBridge could not hand to it.
resource "aws_sqs_queue" "kept" {
  for_each = toset(["failed", "undelivered"])

  name                      = "${local.name}-${each.value}"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = local.tags
}

# The rules send as a service, the schedule with its role, Lambda with the function's.
resource "aws_sqs_queue_policy" "undelivered" {
  count = length(local.rules) > 0 ? 1 : 0

  queue_url = aws_sqs_queue.kept["undelivered"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Rules"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.kept["undelivered"].arn
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.place.account }
        ArnEquals    = { "aws:SourceArn" = [for key in sort(keys(local.rules)) : aws_cloudwatch_event_rule.trigger[key].arn] }
      }
    }]
  })
}
