output "functions" {
  description = "Each function: its ARN, role, mode and queues."
  value       = module.tourniquet.functions
}
