variable "hub" {
  description = "The output `hub` of the deployment that answers the events."
  type = object({
    account         = string
    partition       = string
    region          = string
    bus_arn         = string
    report_topic    = string
    organization_id = optional(string)
    accounts        = set(string)
    settings        = map(string)
  })
}

variable "emails" {
  description = "Addresses that hear of events that could not be sent to the hub, in another region than the hub's, whose topic alarms of other regions do not reach; to be said there, be it `[]`. AWS asks each for confirmation."
  type        = set(string)
  default     = null
}

variable "roles" {
  description = "Whether the account's member roles are made here: in one region of each member account, since IAM has none. null: unless this is the hub's own account, whose functions have roles already."
  type        = bool
  default     = null
}

variable "permissions_boundary" {
  description = "The ARN of the policy that bounds every role made here; needed where an organisation asks for one."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource, beside `application = tourniquet`."
  type        = map(string)
  default     = {}
}
