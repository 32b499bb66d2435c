output "arn" {
  description = "The topic's ARN, for those who may use it: its policy is there before."
  value       = aws_sns_topic_policy.this.arn
}
