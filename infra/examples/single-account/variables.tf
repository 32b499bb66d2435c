variable "bastion_until" {
  description = "Until when the bastion is left alone; a date."
  type        = string
}

variable "dist" {
  description = "The folder with the zip files; null: where ./scripts/build puts them."
  type        = string
  default     = null
}
