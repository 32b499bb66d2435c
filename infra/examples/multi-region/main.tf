# One account, several regions: the functions run in one, the others forward their events to it. Each function acts in
# the region that the event names.

provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "ireland"
  region = "eu-west-1"
}

# AWS reports what is done to IAM and other global services here.
provider "aws" {
  alias  = "virginia"
  region = "us-east-1"
}

locals {
  emails = ["security@example.com"]
}

module "tourniquet" {
  source = "../.."

  region = "eu-central-1"
  dist   = var.dist
  emails = local.emails
  hub    = true
}

module "ireland" {
  source    = "../../modules/member"
  providers = { aws = aws.ireland }

  hub    = module.tourniquet.hub
  emails = local.emails
}

module "virginia" {
  source    = "../../modules/member"
  providers = { aws = aws.virginia }

  hub    = module.tourniquet.hub
  emails = local.emails
}
