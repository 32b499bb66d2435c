variable "organization_id" {
  description = "The organisation's id, `o-…`."
  type        = string
}

variable "organizational_units" {
  description = "The organisational units whose accounts become members."
  type        = set(string)
}

variable "accounts" {
  description = "The accounts whose events are answered and which the sweeps look at."
  type        = set(string)
}

variable "dist" {
  description = "The folder with the zip files; null: where ./scripts/build puts them."
  type        = string
  default     = null
}
