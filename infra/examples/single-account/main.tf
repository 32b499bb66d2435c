# One account and region, with one function that enforces; the others observe.

provider "aws" {
  region = "eu-central-1"
}

module "tourniquet" {
  source = "../.."

  region = "eu-central-1"
  dist   = var.dist
  emails = ["security@example.com"]

  functions = {
    stop-instance = { mode = "enforce", changes_per_hour = 5 }
  }
  settings = {
    stop-instance = { protected_tags = { role = "domain-controller" } }
  }

  exemptions = [
    {
      function = "stop-instance"
      subject  = "i-0123456789abcdef0"
      reason   = "The bastion of the platform team: scanned from, by contract, every week"
      owner    = "platform@example.com"
      ends     = var.bastion_until
    },
  ]

  tags = { team = "security" }
}
