# The hub in the organisation's security account; its members are every account of some organisational units.

provider "aws" {
  region = "eu-central-1"
}

locals {
  emails = ["security@example.com"]
}

module "tourniquet" {
  source = "../.."

  region          = "eu-central-1"
  dist            = var.dist
  organization_id = var.organization_id
  accounts        = var.accounts
  emails          = local.emails
}

module "members" {
  source = "../../modules/organization"

  hub                  = module.tourniquet.hub
  organizational_units = var.organizational_units
  regions              = ["eu-central-1", "us-east-1"]
  alarm_topics         = { us-east-1 = module.own_virginia.alarm_topic }
}

# StackSets do not reach the account that administers them: its other regions are given by hand.
provider "aws" {
  alias  = "virginia"
  region = "us-east-1"
}

module "own_virginia" {
  source    = "../../modules/member"
  providers = { aws = aws.virginia }

  hub    = module.tourniquet.hub
  emails = local.emails
}
