variable "name" {
  description = "The function: the name of its folder in crates/."
  type        = string
}

variable "settings" {
  description = "The room's own settings, and whether there are `accounts`; statements that belong to a setting are there only if it is true, by itself or by the statement's default."
  type        = any
  default     = {}
}

variable "shared" {
  description = "Whether the statements that every function needs (shared/permissions.json) are there too. Member roles have the room's own alone."
  type        = bool
  default     = true
}

variable "names" {
  description = "What stands for the names in permissions.json, such as `account`."
  type        = map(string)
}
