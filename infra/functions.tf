# Every room becomes a Lambda function with its role, rules, schedule, queues, log group and alarms.

module "function" {
  source   = "./modules/function"
  for_each = local.functions

  name         = each.key
  place        = local.place
  architecture = var.architecture
  package      = "${coalesce(var.dist, "${path.module}/../dist")}/${each.key}-${var.architecture}.zip"

  config = {
    mode             = each.value.mode
    settings         = local.settings[each.key]
    changes_per_hour = try(tonumber(each.value.changes_per_hour), null)
    exempt_by_tag    = try(tobool(each.value.exempt_by_tag), null)
    accounts         = sort(var.accounts)
    journal_table    = aws_dynamodb_table.journal.name
    report_topic     = module.reports.arn
    report_format    = var.slack == null ? null : "chat"
    own_resources    = var.own_resources
    record_days      = var.record_days
    trust            = var.trust
  }

  buses                = concat(["default"], aws_cloudwatch_event_bus.hub[*].name)
  schedule_group       = aws_scheduler_schedule_group.sweeps.name
  alarm_topic          = module.reports.arn
  reserved_concurrency = tonumber(each.value.reserved_concurrency)
  log_retention_days   = var.log_retention_days
  kms_key_arn          = var.kms_key_arn
  permissions_boundary = var.permissions_boundary
  tags                 = local.tags
}

resource "aws_scheduler_schedule_group" "sweeps" {
  name = "tourniquet"
  tags = local.tags
}
