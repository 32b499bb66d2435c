# One room as a Lambda function. Function, role, rules, schedule, queues, log group and alarms all begin with the same
# name, `tourniquet-<function>`.

module "room" {
  source = "../room"

  name     = var.name
  settings = merge(var.config.settings, { accounts = length(try(var.config.accounts, [])) > 0 })
  names = merge(var.place, {
    function      = var.name
    journal_table = var.config.journal_table
    report_topic  = var.config.report_topic
    member_role   = local.name
  })
}

locals {
  name = "tourniquet-${var.name}"
  tags = merge(var.tags, { function = var.name })

  # What is not said is left out, so that the defaults stand in one place: shared/src/settings.rs.
  config = jsonencode({
    for key, value in merge(var.config, { account = var.place.account, own_role = aws_iam_role.function.arn }) :
    key => value if value != null
  })
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:A trace adds calls to the way to containment; every run logs and measures its own duration.
  #checkov:skip=CKV_AWS_116:The on-failure destination keeps more than the dead-letter queue of a function would: the event and the error.
  #checkov:skip=CKV_AWS_117:It calls AWS's public endpoints only. A VPC would add a NAT gateway that an attacker in the account can cut.
  #checkov:skip=CKV_AWS_272:The zip comes from your own build, with its SHA-256 in the plan; sign it in your pipeline if you have a profile.
  function_name                  = local.name
  description                    = "Tourniquet: ${var.name} (${var.config.mode})"
  role                           = aws_iam_role.function.arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.architecture]
  filename                       = var.package
  source_code_hash               = fileexists(var.package) ? filebase64sha256(var.package) : null
  memory_size                    = module.room.manifest.memory_mb
  timeout                        = module.room.manifest.timeout_s
  reserved_concurrent_executions = var.reserved_concurrency
  kms_key_arn                    = var.kms_key_arn
  tags                           = local.tags

  environment {
    variables = { TOURNIQUET_CONFIG = local.config }
  }

  # INFO and not above: the reports are the metrics, and Lambda counts lines without a level as INFO.
  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.function.name
    application_log_level = "INFO"
    system_log_level      = "INFO"
  }

  lifecycle {
    precondition {
      condition     = fileexists(var.package)
      error_message = "${var.package} is missing: run ./scripts/build for ${var.architecture}, or write the folder with the zip files in `dist`, or the other `architecture`."
    }
    precondition {
      condition     = length(local.config) <= 3900
      error_message = "The configuration of ${var.name} has ${length(local.config)} bytes, and Lambda allows 4,096 for all variables. Write fewer `accounts` (each takes 15 bytes; about 220 fit) and answer the others from a second account, as docs/deploy.md says, or shorter `settings`."
    }
  }

  # Its first event must find its permissions.
  depends_on = [aws_iam_role_policy.function]
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${local.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = local.tags
}
