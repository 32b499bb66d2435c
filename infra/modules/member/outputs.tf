output "roles" {
  description = "The ARNs of the member roles made here, by function."
  value       = { for name, role in aws_iam_role.member : name => role.arn }
}

output "undelivered_queue" {
  description = "The URL of the queue with the events that could not be sent to the hub."
  value       = aws_sqs_queue.undelivered.url
}
