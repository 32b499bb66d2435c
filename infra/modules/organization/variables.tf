variable "hub" {
  description = "The output `hub` of the deployment that answers the events."
  type = object({
    account         = string
    partition       = string
    region          = string
    bus_arn         = string
    report_topic    = string
    organization_id = optional(string)
    settings        = map(string)
  })

  validation {
    condition     = var.hub.organization_id != null
    error_message = "The hub does not know the organisation: write its `organization_id`."
  }
}

variable "organizational_units" {
  description = "The ids of the organisational units whose accounts become members, or of the root (`r-…`). Accounts that join later become members by themselves."
  type        = set(string)

  validation {
    condition     = length(var.organizational_units) > 0 && alltrue([for id in var.organizational_units : can(regex("^(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})$", id))])
    error_message = "In `organizational_units`, write ids such as \"ou-ab12-c3d4e5f6\" or \"r-ab12\"."
  }
}

variable "regions" {
  description = "The regions whose events are forwarded. Add us-east-1, where AWS reports what is done to IAM and other global services. null: the hub's own."
  type        = set(string)
  default     = null

  validation {
    condition     = var.regions == null || (length(coalesce(var.regions, [])) > 0 && alltrue([for region in coalesce(var.regions, []) : can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", region))]))
    error_message = "In `regions`, write codes such as \"eu-central-1\"."
  }
}

variable "alarm_topics" {
  description = "For each of the other regions the ARN of the topic there that hears of events that could not be sent to the hub: the output `alarm_topic` of modules/member, of the hub's account in that region. In the hub's own region its topic hears of them."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(coalesce(var.regions, [var.hub.region]), concat([var.hub.region], keys(var.alarm_topics)))) == 0
    error_message = "Nobody would hear of events of ${join(", ", setsubtract(coalesce(var.regions, [var.hub.region]), concat([var.hub.region], keys(var.alarm_topics))))} that cannot be sent to the hub, since CloudWatch's alarms reach topics of their own region only: write alarm_topics = { <region> = module.<member>.alarm_topic }, with a module \"modules/member\" for the hub's account in that region."
  }
}

variable "call_as" {
  description = "`DELEGATED_ADMIN` where this account administers StackSets for the organisation; `SELF` in the management account."
  type        = string
  default     = "DELEGATED_ADMIN"

  validation {
    condition     = contains(["DELEGATED_ADMIN", "SELF"], var.call_as)
    error_message = "call_as is \"${var.call_as}\": write \"DELEGATED_ADMIN\" or \"SELF\"."
  }
}

variable "tags" {
  description = "Tags of every resource, beside `application = tourniquet`."
  type        = map(string)
  default     = {}
}
