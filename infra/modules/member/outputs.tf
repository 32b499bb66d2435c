output "roles" {
  description = "The ARNs of the member roles made here, by function."
  value       = { for name, role in aws_iam_role.member : name => role.arn }
}

output "undelivered_queue" {
  description = "The URL of the queue with the events that could not be sent to the hub."
  value       = aws_sqs_queue.undelivered.url
}

output "alarm_topic" {
  description = "The ARN of the topic that hears of them: the hub's, or one of this account in another region."
  value       = local.alarm_topic
}
