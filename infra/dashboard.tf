# One page for all functions: how their runs ended, how long containment took, what lies in the queues.

locals {
  names = sort(keys(local.functions))
  below = 6 * ceil(length(local.names) / 3)

  # Outcomes are found by search, so that their words stand in shared/src/outcome.rs alone.
  outcomes = [
    for n, name in local.names : {
      title   = "${name} (${local.functions[name].mode}): runs by outcome"
      metrics = [[{ expression = "SEARCH('{Tourniquet,Function,Outcome} Function=\"${name}\" MetricName=\"Runs\"', 'Sum', 300)", label = "$${PROP('Dim.Outcome')}" }]]
      stacked = true
      x       = 8 * (n % 3)
      y       = 6 * floor(n / 3)
      width   = 8
    }
  ]

  together = [
    {
      title   = "Milliseconds from event to containment: median and 99 of 100"
      metrics = [for pair in setproduct(local.names, ["p50", "p99"]) : ["Tourniquet", "ContainedMs", "Function", pair[0], { stat = pair[1], label = "${pair[0]} ${pair[1]}" }]]
      stacked = false
      x       = 0
      y       = local.below
      width   = 12
    },
    {
      title   = "Events that wait for a human"
      metrics = [for pair in setproduct(local.names, ["failed", "undelivered"]) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "tourniquet-${pair[0]}-${pair[1]}", { stat = "Maximum", label = join(" ", pair) }]]
      stacked = false
      x       = 12
      y       = local.below
      width   = 12
    },
    {
      title   = "Errors and throttles"
      metrics = [for pair in setproduct(local.names, ["Errors", "Throttles"]) : ["AWS/Lambda", pair[1], "FunctionName", "tourniquet-${pair[0]}", { stat = "Sum", label = join(" ", pair) }]]
      stacked = false
      x       = 0
      y       = local.below + 6
      width   = 12
    },
    {
      title   = "Sweeps that came to their end"
      metrics = [for name in local.names : ["Tourniquet", "Heartbeats", "Function", name, { stat = "Sum", label = name }] if module.function[name].sweeps]
      stacked = true
      x       = 12
      y       = local.below + 6
      width   = 12
    },
  ]

  latest = {
    type = "log", x = 0, y = local.below + 12, width = 24, height = 8
    properties = {
      title  = "The latest reports"
      region = local.place.region
      query = join(" | ", concat(
        [for name in local.names : "SOURCE '/aws/lambda/tourniquet-${name}'"],
        ["fields @timestamp, function, outcome, account, region, subject, why", "filter tourniquet = 'report'", "sort @timestamp desc", "limit 50"]
      ))
    }
  }
}

resource "aws_cloudwatch_dashboard" "all" {
  dashboard_name = "tourniquet"
  dashboard_body = jsonencode({
    widgets = concat([
      for widget in concat(local.outcomes, local.together) : {
        type = "metric", x = widget.x, y = widget.y, width = widget.width, height = 6
        properties = {
          title   = widget.title
          metrics = widget.metrics
          stacked = widget.stacked
          region  = local.place.region
          view    = "timeSeries"
          period  = 300
        }
      } if length(widget.metrics) > 0
    ], [local.latest])
  })
}
