# An event that could not be sent to the hub waits in the queue, and somebody is told by way of CloudWatch and SNS: an
# alarm that went through EventBridge, as the event did, would be held up by what held up the event.

locals {
  # CloudWatch's alarms reach topics of other accounts, but of no other region.
  hears       = local.region == var.hub.region
  alarm_topic = local.hears ? var.hub.report_topic : module.topic[0].arn
}

# Where the hub's topic cannot be reached.
module "topic" {
  source = "../topic"
  count  = local.hears ? 0 : 1

  accounts    = local.account == var.hub.account ? var.hub.accounts : []
  emails      = coalesce(var.emails, [])
  kms_key_arn = null
  tags        = local.tags
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = aws_sqs_queue.undelivered.name
  alarm_description   = "EventBridge could not send an event of ${local.account} in ${local.region} to Tourniquet's hub; it is in the queue ${aws_sqs_queue.undelivered.name} there."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.undelivered.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.alarm_topic]
  ok_actions          = [local.alarm_topic]
  tags                = local.tags

  lifecycle {
    precondition {
      condition     = local.hears || var.emails != null
      error_message = "Nobody would hear of events of ${local.region} that cannot be sent to the hub, whose topic in ${var.hub.region} hears alarms of that region only: write emails = [\"security@example.com\"]; or emails = [], and subscribe what you like to the output `alarm_topic`."
    }
  }
}
