# The sweep, for the rooms whose function.json has a schedule.

locals {
  schedule  = module.room.manifest.schedule
  scheduled = local.schedule == null ? toset([]) : toset(["sweep"])

  # How many seconds lie between two sweeps. A cron expression is taken for a daily one: only the alarm uses it.
  rate    = try(regex("^rate\\(([0-9]+) (minute|hour|day)s?\\)$", local.schedule), ["1", "day"])
  seconds = tonumber(local.rate[0]) * { minute = 60, hour = 3600, day = 86400 }[local.rate[1]]
}

resource "aws_scheduler_schedule" "sweep" {
  #checkov:skip=CKV_AWS_297:The schedule holds no secret: its input names the account, the region and that it is a sweep.
  for_each = local.scheduled

  name                = local.name
  group_name          = var.schedule_group
  description         = "Sweep of Tourniquet's function ${var.name}."
  schedule_expression = local.schedule

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.this.arn
    role_arn = aws_iam_role.schedule[each.key].arn
    # The event that EventBridge's own schedules send; by it the function knows a sweep. jsonencode escapes < and >, and
    # Scheduler knows its keywords only as they are.
    input = replace(replace(jsonencode({
      version       = "0"
      id            = "<aws.scheduler.execution-id>"
      "detail-type" = "Scheduled Event"
      source        = "aws.scheduler"
      account       = var.place.account
      time          = "<aws.scheduler.scheduled-time>"
      region        = var.place.region
      resources     = ["<aws.scheduler.schedule-arn>"]
      detail        = {}
    }), "\\u003c", "<"), "\\u003e", ">")

    # The next sweep does the same, so a late one is not worth much.
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }

    dead_letter_config {
      arn = aws_sqs_queue.kept["undelivered"].arn
    }
  }
}

resource "aws_iam_role" "schedule" {
  for_each = local.scheduled

  name                 = "${local.name}-sweep"
  description          = "Starts the sweeps of Tourniquet's function ${var.name}."
  permissions_boundary = var.permissions_boundary
  tags                 = local.tags
  assume_role_policy   = local.trust.scheduler
}

resource "aws_iam_role_policy" "schedule" {
  for_each = local.scheduled

  name = "schedule"
  role = aws_iam_role.schedule[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      { Sid = "Start", Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = [aws_lambda_function.this.arn] },
      { Sid = "Keep", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = [aws_sqs_queue.kept["undelivered"].arn] },
      ], [for key in var.kms_key_arn[*] :
      { Sid = "Key", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [key] }
    ])
  })
}
