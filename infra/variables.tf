variable "region" {
  description = "The region that this is meant for, such as `eu-central-1`. The plan fails if the provider works in another one. null: wherever the provider works."
  type        = string
  default     = null

  validation {
    condition     = var.region == null || can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is \"${coalesce(var.region, "null")}\", which is not the code of a region: write one such as \"eu-central-1\"."
  }
}

variable "account" {
  description = "The account that this is meant for. The plan fails if the credentials are of another one. null: whichever they are of."
  type        = string
  default     = null

  validation {
    condition     = var.account == null || can(regex("^[0-9]{12}$", var.account))
    error_message = "account is \"${coalesce(var.account, "null")}\": write the twelve digits of an account, in quotation marks."
  }
}

variable "architecture" {
  description = "The processor that the functions run on: `arm64` or `x86_64`. The zip files must be built for it."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is \"${var.architecture}\": write \"arm64\" or \"x86_64\"."
  }
}

variable "dist" {
  description = "The folder with one zip for each function, `<function>-<architecture>.zip`, as ./scripts/build makes them. null: dist/ of the project."
  type        = string
  default     = null
}

variable "functions" {
  description = <<-EOT
    What is special about a function, by its name. A function that is not named here is deployed and observes.

    - `deploy`: whether it is deployed. Default: true.
    - `mode`: `observe` records what it would do and changes nothing; `enforce` does it. Default: `observe`.
    - `changes_per_hour`: how many records may begin to change something in an hour and account.
    - `exempt_by_tag`: whether the tag `tourniquet:exempt` of a live resource exempts it, for 90 days at most. Whoever can tag a resource can then switch the answer off.
    - `reserved_concurrency`: concurrent executions that are set aside for it. Default: -1, none.

    Where nothing is said, the function's own default holds (shared/src/settings.rs). The rooms' own settings are in `settings`.
  EOT
  # Not an object: of an object Terraform drops the keys that it does not know without a word, and a function with a
  # misspelt `mode` would observe for ever.
  type     = map(map(string))
  default  = {}
  nullable = false

  validation {
    condition     = length(setsubtract(keys(var.functions), local.rooms)) == 0
    error_message = "There is no function ${join(", ", setsubtract(keys(var.functions), local.rooms))}. In `functions`, write one of: ${join(", ", local.rooms)}."
  }
  validation {
    condition     = alltrue([for said in var.functions : length(setsubtract(keys(said), keys(local.unsaid))) == 0])
    error_message = "`functions` has no key ${join(", ", flatten([for name, said in var.functions : [for key in setsubtract(keys(said), keys(local.unsaid)) : "\"${key}\" (${name})"]]))}: write one of ${join(", ", keys(local.unsaid))}. What a room's README lists belongs in `settings`."
  }
  validation {
    condition     = alltrue([for said in var.functions : contains(["observe", "enforce"], lookup(said, "mode", "observe"))])
    error_message = "There is no mode ${join(", ", [for name, said in var.functions : "\"${lookup(said, "mode", "observe")}\" (${name})" if !contains(["observe", "enforce"], lookup(said, "mode", "observe"))])}: write mode = \"observe\" or mode = \"enforce\"."
  }
  validation {
    condition     = alltrue([for said in var.functions : can(tobool(lookup(said, "deploy", "true"))) && can(tobool(lookup(said, "exempt_by_tag", "true")))])
    error_message = "In `functions`, deploy and exempt_by_tag are true or false; ${join(", ", flatten([for name, said in var.functions : [for key in ["deploy", "exempt_by_tag"] : "${key} of ${name} is \"${said[key]}\"" if !can(tobool(lookup(said, key, "true")))]]))}."
  }
  validation {
    condition     = alltrue([for said in var.functions : can(regex("^[1-9][0-9]*$", lookup(said, "changes_per_hour", "1")))])
    error_message = "changes_per_hour is a whole number of at least 1; to hold back every change, write mode = \"observe\"."
  }
  validation {
    condition     = alltrue([for said in var.functions : can(regex("^(-1|[1-9][0-9]*)$", lookup(said, "reserved_concurrency", "-1")))])
    error_message = "reserved_concurrency is a whole number of at least 1, or -1 for none; 0 would switch the function off: write deploy = false for that."
  }
}

variable "settings" {
  description = "The rooms' own settings, by the name of the function: the table in crates/<function>/README.md. A key that the room does not know stops the function at its start, with an error that names the key."
  # Each room has keys of its own, which only its code knows.
  type     = any
  default  = {}
  nullable = false

  validation {
    condition     = can(keys(var.settings)) && length(setsubtract(try(keys(var.settings), []), local.rooms)) == 0
    error_message = "`settings` has one object for each function, such as settings = { ${local.rooms[0]} = { … } }, but says ${try(join(", ", [for name in setsubtract(keys(var.settings), local.rooms) : "\"${name}\""]), "something else")}: write one of ${join(", ", local.rooms)}."
  }
  validation {
    condition     = alltrue([for own in try(values(var.settings), []) : can(keys(own))])
    error_message = "The settings of ${join(", ", [for name, own in try(tomap({ for name, own in var.settings : name => can(keys(own)) }), {}) : name if !own])} are no object: write { key = value }, with the keys of the table in its README."
  }
}

variable "accounts" {
  description = "Other accounts whose events are answered, each by its member role (modules/member). Events of accounts that are neither here nor this one's are refused."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for account in var.accounts : can(regex("^[0-9]{12}$", account))])
    error_message = "In `accounts`, write the twelve digits of each account, in quotation marks, instead of ${join(", ", [for account in var.accounts : "\"${account}\"" if !can(regex("^[0-9]{12}$", account))])}."
  }
}

variable "organization_id" {
  description = "The organisation whose accounts may send events to the hub's bus, such as `o-a1b2c3d4e5`. null: only those in `accounts`."
  type        = string
  default     = null

  validation {
    condition     = var.organization_id == null || can(regex("^o-[a-z0-9]{10,32}$", var.organization_id))
    error_message = "organization_id is \"${coalesce(var.organization_id, "null")}\": write the id that `aws organizations describe-organization` shows, such as \"o-a1b2c3d4e5\"."
  }
}

variable "hub" {
  description = "Whether other regions or accounts send their events here. Set by itself where `accounts` or `organization_id` is; write true for other regions of this account alone."
  type        = bool
  default     = false
  nullable    = false
}

variable "exemptions" {
  description = <<-EOT
    What the functions leave alone, until when, and why.

    - `function`: which one.
    - `subject`: a glob over resource ids, such as `i-0123456789abcdef0` or `public-*`.
    - `account`, `region`: where. Default: this account; `*`, every region.
    - `scope`: a part of the subject, in the room's own words. Default: all of it.
    - `reason`, `owner`: why, and who answers for it.
    - `ends`: a date such as `2027-01-31`, which ends with its last second in UTC, or a time such as `2027-01-31T12:00:00Z`. One that has ended fails the plan.
  EOT
  # Not an object, for the reason that `functions` is none: a misspelt `scope` would exempt all of the subject.
  type     = list(map(string))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for e in var.exemptions : length(setsubtract(keys(e), local.exemption_keys)) == 0])
    error_message = "An exemption has no key ${join(", ", distinct(flatten([for e in var.exemptions : setsubtract(keys(e), local.exemption_keys)])))}: write one of ${join(", ", local.exemption_keys)}."
  }
  validation {
    condition     = alltrue([for e in var.exemptions : contains(local.rooms, lookup(e, "function", ""))])
    error_message = "An exemption is from no function, or from one that does not exist: ${join(", ", [for e in var.exemptions : "\"${lookup(e, "function", "")}\" (${lookup(e, "subject", "no subject")})" if !contains(local.rooms, lookup(e, "function", ""))])}. In `function`, write one of ${join(", ", local.rooms)}."
  }
  validation {
    condition     = alltrue([for e in var.exemptions : alltrue([for key in ["subject", "reason", "owner"] : trimspace(lookup(e, key, "")) != ""])])
    error_message = "An exemption needs a subject, a reason and an owner. Write what is missing: ${join("; ", flatten([for n, e in var.exemptions : [for key in ["subject", "reason", "owner"] : "${key} of ${lookup(e, "subject", "number ${n + 1}")}" if trimspace(lookup(e, key, "")) == ""]]))}."
  }
  validation {
    condition     = alltrue([for e in var.exemptions : can(regex("^[0-9]{12}$", lookup(e, "account", "000000000000")))])
    error_message = "In an exemption's `account`, write the twelve digits of an account, or leave it out for this one."
  }
  validation {
    condition     = alltrue([for e in var.exemptions : can(timeadd(lookup(e, "ends", ""), "0s")) || can(timeadd("${lookup(e, "ends", "")}T00:00:00Z", "0s"))])
    error_message = "An exemption ends: in `ends` of ${join(", ", [for e in var.exemptions : lookup(e, "subject", "one without a subject") if !can(timeadd(lookup(e, "ends", ""), "0s")) && !can(timeadd("${lookup(e, "ends", "")}T00:00:00Z", "0s"))])}, write a date such as \"2027-01-31\" or a time such as \"2027-01-31T12:00:00Z\"."
  }
}

variable "emails" {
  description = "Addresses that reports and alarms are sent to. AWS asks each for confirmation."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "In `emails`, write addresses such as \"security@example.com\"."
  }
}

variable "slack" {
  description = "The Slack channel for reports and alarms, through Amazon Q Developer in chat applications, whose console must have been given access to the workspace once. Reports are then written in its schema, which e-mail shows as JSON."
  type = object({
    team_id    = string
    channel_id = string
  })
  default = null

  validation {
    condition     = var.slack == null || can(regex("^T[A-Z0-9]+/C[A-Z0-9]+$", "${var.slack.team_id}/${var.slack.channel_id}"))
    error_message = "In `slack`, write team_id = \"T…\" and channel_id = \"C…\", as the addresses of the workspace and the channel hold them."
  }
}

variable "own_resources" {
  description = "Ids or ARNs that no function touches: buckets, groups, trails that Tourniquet's own working depends on, such as the bucket of Terraform's state."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "record_days" {
  description = "How long records are kept in the journal, in days. null: the functions' own default."
  type        = number
  default     = null

  validation {
    condition     = var.record_days == null || try(var.record_days >= 1, false)
    error_message = "record_days is at least 1."
  }
}

variable "trust" {
  description = "Which certificate authorities the functions trust: `amazon`, or `system` behind a proxy that inspects TLS. null: the functions' own default."
  type        = string
  default     = null

  validation {
    condition     = var.trust == null || contains(["amazon", "system"], coalesce(var.trust, "amazon"))
    error_message = "trust is \"${coalesce(var.trust, "null")}\": write \"amazon\" or \"system\"."
  }
}

variable "log_retention_days" {
  description = "How long log lines are kept. A full report is in the log even where the journal could not be reached."
  type        = number
  default     = 400
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs keeps lines for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days: write one of these."
  }
}

variable "kms_key_arn" {
  description = "A customer managed key for journal, topic, queues, logs and configuration. Its policy must allow what docs/deploy.md lists. null: AWS's own keys."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a key, arn:aws:kms:<region>:<account>:key/<id>, not an alias."
  }
}

variable "permissions_boundary" {
  description = "The ARN of the policy that bounds every role made here; needed where an organisation asks for one."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether the journal refuses to be deleted. To destroy everything, apply once with false."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags of every resource, beside `application = tourniquet`."
  type        = map(string)
  default     = {}
  nullable    = false
}
