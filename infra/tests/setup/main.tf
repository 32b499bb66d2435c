# Stands for ./scripts/build: a zip for each function, with nothing in it. Taken away when the tests end.

terraform {
  required_version = ">= 1.11"
}

locals {
  functions = [for manifest in fileset("${path.module}/../../../crates", "*/function.json") : dirname(manifest)]
}

resource "terraform_data" "dist" {
  input = {
    folder = pathexpand("~/.cache/tourniquet/terraform-test")
    files  = join(" ", sort([for pair in setproduct(local.functions, ["arm64", "x86_64"]) : "${pair[0]}-${pair[1]}.zip"]))
  }

  provisioner "local-exec" {
    command = "mkdir -p '${self.input.folder}' && cd '${self.input.folder}' && touch ${self.input.files}"
  }

  provisioner "local-exec" {
    when    = destroy
    command = "rm -rf '${self.input.folder}'"
  }
}

output "dist" {
  description = "The folder with the zip files."
  value       = terraform_data.dist.output.folder
}

output "functions" {
  description = "The names of the rooms, as their folders say."
  value       = sort(local.functions)
}
