output "arn" {
  description = "The function's ARN."
  value       = aws_lambda_function.this.arn
}

output "role_arn" {
  description = "The ARN of the function's role."
  value       = aws_iam_role.function.arn
}

output "policy" {
  description = "The policy of the function's role, as JSON."
  value       = local.policy
}

output "failed_queue" {
  description = "The URL of the queue with the events that it could not answer."
  value       = aws_sqs_queue.kept["failed"].url
}

output "undelivered_queue" {
  description = "The URL of the queue with the events that did not reach it."
  value       = aws_sqs_queue.kept["undelivered"].url
}

output "sweeps" {
  description = "Whether it sweeps."
  value       = local.schedule != null
}
