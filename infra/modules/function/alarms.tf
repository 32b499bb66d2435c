# What a human must hear of even if no report says it. The names say what is wrong.

locals {
  # Metrics and dimensions of `Tourniquet` are those of the report line (shared/src/report.rs).
  alarms = {
    errors = {
      description = "${var.name} failed, or did only a part: the log group ${aws_cloudwatch_log_group.function.name} has the reports with outcome failed or partial."
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = local.name }
    }
    failed = {
      description = "${var.name} failed at an event three times; the event and the error are in the queue ${local.name}-failed."
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = "${local.name}-failed" }
    }
    undelivered = {
      description = "EventBridge could not hand an event to ${var.name}; it is in the queue ${local.name}-undelivered."
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = "${local.name}-undelivered" }
    }
    held = {
      description = "${var.name} reached its limit of changes per hour and holds back the others: look what is going on, then raise changes_per_hour or wait for the next hour."
      namespace   = "Tourniquet"
      metric      = "Runs"
      dimensions  = { Function = var.name, Outcome = "held" }
    }
    fight = {
      description = "The same actor undid what ${var.name} contained, three times within a day: a person or a program works against it."
      namespace   = "Tourniquet"
      metric      = "Fights"
      dimensions  = { Function = var.name }
    }
  }

  # CloudWatch looks back at most a day, or a week where a period is an hour or longer.
  heartbeat_period = min(local.seconds, 86400)
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.namespace == "AWS/SQS" ? "Maximum" : "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic]
  ok_actions          = [var.alarm_topic]
  tags                = local.tags
}

# Sweeps count their own ends, so that silence is an alarm.
resource "aws_cloudwatch_log_metric_filter" "heartbeat" {
  for_each = local.scheduled

  name           = "heartbeat"
  log_group_name = aws_cloudwatch_log_group.function.name
  pattern        = "{ $.message = \"heartbeat: sweep ended\" }"

  metric_transformation {
    namespace  = "Tourniquet"
    name       = "Heartbeats"
    value      = "1"
    unit       = "Count"
    dimensions = { Function = "$.function" }
  }
}

resource "aws_cloudwatch_metric_alarm" "heartbeat" {
  for_each = local.seconds <= 172800 ? local.scheduled : []

  alarm_name          = "${local.name}-heartbeat"
  alarm_description   = "No sweep of ${var.name} came to its end in the time of three: the schedule is off, or the function fails at its start."
  namespace           = "Tourniquet"
  metric_name         = "Heartbeats"
  dimensions          = { Function = var.name }
  statistic           = "Sum"
  period              = local.heartbeat_period
  evaluation_periods  = ceil(3 * local.seconds / local.heartbeat_period)
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [var.alarm_topic]
  ok_actions          = [var.alarm_topic]
  tags                = local.tags
}
