variable "name" {
  description = "The function: the name of its folder in crates/."
  type        = string
}

variable "place" {
  description = "Where it runs."
  type = object({
    partition = string
    account   = string
    region    = string
  })
}

variable "architecture" {
  description = "`arm64` or `x86_64`."
  type        = string
}

variable "package" {
  description = "The path of the zip with the function's binary."
  type        = string
}

variable "config" {
  description = "The function's configuration, as shared/src/settings.rs reads it; null is left out. `account` and `own_role` are filled in here."
  type        = any
}

variable "buses" {
  description = "The event buses that it listens to."
  type        = list(string)
}

variable "schedule_group" {
  description = "The group of EventBridge Scheduler that its schedule is in."
  type        = string
}

variable "alarm_topic" {
  description = "The ARN of the topic that its alarms go to."
  type        = string
}

variable "reserved_concurrency" {
  description = "Concurrent executions that are set aside for it; -1 for none."
  type        = number
}

variable "log_retention_days" {
  description = "How long its log lines are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "The key for its queues, log group and configuration; null for AWS's own."
  type        = string
}

variable "permissions_boundary" {
  description = "The ARN of the policy that bounds its roles, or null."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}
