terraform {
  # 1.9: validations that look at more than their own variable, templatestring. 1.11: mocks that are known in a plan.
  # An older Terraform stops before anything else and shows the next line.
  required_version = ">= 1.11" # Get it from https://developer.hashicorp.com/terraform/install

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}
