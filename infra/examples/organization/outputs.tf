output "functions" {
  description = "Each function: its ARN, role, mode and queues."
  value       = module.tourniquet.functions
}

output "member_template" {
  description = "The CloudFormation template that each member account gets."
  value       = module.members.template
}
