output "functions" {
  description = "Each function: its ARN, role, mode, and the queues that keep what it could not answer."
  value = {
    for name, function in module.function : name => {
      arn               = function.arn
      role_arn          = function.role_arn
      mode              = local.functions[name].mode
      failed_queue      = function.failed_queue
      undelivered_queue = function.undelivered_queue
    }
  }
}

output "journal_table" {
  description = "The name of the journal's table."
  value       = aws_dynamodb_table.journal.name
}

output "report_topic" {
  description = "The ARN of the topic for reports and alarms; subscribe to it what you like."
  value       = module.reports.arn
}

output "dashboard" {
  description = "The name of the dashboard in CloudWatch."
  value       = aws_cloudwatch_dashboard.all.dashboard_name
}

output "hub" {
  description = "What modules/member and modules/organization need to know of this deployment; null where it is no hub."
  value = local.is_hub ? {
    account         = local.place.account
    partition       = local.place.partition
    region          = local.place.region
    bus_arn         = aws_cloudwatch_event_bus.hub[0].arn
    report_topic    = module.reports.arn
    organization_id = var.organization_id
    accounts        = var.accounts
    # As text, since each function has keys of its own.
    settings = { for name, own in local.settings : name => jsonencode(own) }
  } : null
}
