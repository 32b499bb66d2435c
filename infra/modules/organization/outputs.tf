output "stack_set" {
  description = "The name of the StackSet."
  value       = aws_cloudformation_stack_set.members.name
}

output "template" {
  description = "The CloudFormation template of the member part, for accounts that are no part of the organisation's units."
  value       = local.template
}
