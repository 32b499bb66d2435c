variable "accounts" {
  description = "Other accounts whose alarms are heard too."
  type        = set(string)
}

variable "emails" {
  description = "Addresses that everything is sent to. AWS asks each for confirmation."
  type        = set(string)
}

variable "kms_key_arn" {
  description = "The key that encrypts it at rest; null for none."
  type        = string
}

variable "tags" {
  description = "Tags of the topic."
  type        = map(string)
}
