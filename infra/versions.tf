terraform {
  # 1.9: validations that look at more than their own variable, templatestring. 1.11: mocks that are known in a plan.
  # An older Terraform stops before anything else and names this line.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}
