# The deployment in a simulated account: AWS_ENDPOINT_URL says where it is. For tests only; this is the one place that
# switches off what the provider asks AWS before it begins.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

provider "aws" {
  # With the provider's 25 an error would show after an hour only.
  max_retries                 = 5
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
}

# A member account and one region of it: the simulated account knows it by the key.
provider "aws" {
  alias                       = "member"
  region                      = try(local.given.member.region, null)
  access_key                  = try(local.given.member.key, null)
  secret_key                  = try(local.given.member.secret, null)
  max_retries                 = 5
  skip_credentials_validation = true
  skip_metadata_api_check     = true
}

variable "deployment" {
  description = "The variables of the deployment, as JSON."
  type        = string
  default     = "{}"
}

locals {
  given = jsondecode(var.deployment)
}

module "tourniquet" {
  source = "../.."

  account             = try(local.given.account, null)
  region              = try(local.given.region, null)
  architecture        = try(local.given.architecture, "arm64")
  dist                = try(local.given.dist, null)
  functions           = try(local.given.functions, {})
  settings            = try(local.given.settings, {})
  accounts            = try(local.given.accounts, [])
  organization_id     = try(local.given.organization_id, null)
  hub                 = try(local.given.hub, false)
  exemptions          = try(local.given.exemptions, [])
  emails              = try(local.given.emails, [])
  kms_key_arn         = try(local.given.kms_key_arn, null)
  deletion_protection = try(local.given.deletion_protection, false)
}

module "member" {
  source    = "../../modules/member"
  count     = length(try(local.given.accounts, []))
  providers = { aws = aws.member }

  hub    = module.tourniquet.hub
  emails = []
}

output "functions" {
  description = "See the deployment's own output."
  value       = module.tourniquet.functions
}

output "report_topic" {
  description = "See the deployment's own output."
  value       = module.tourniquet.report_topic
}

output "hub" {
  description = "See the deployment's own output."
  value       = module.tourniquet.hub
}
