variable "dist" {
  description = "The folder with the zip files; null: where ./scripts/build puts them."
  type        = string
  default     = null
}
