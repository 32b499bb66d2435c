output "manifest" {
  description = "What function.json says."
  value       = local.manifest
}

output "triggers" {
  description = "The event patterns, by the name of their file."
  value = {
    for file in fileset("${local.folder}/triggers", "*.json") :
    trimsuffix(file, ".json") => jsonencode(jsondecode(file("${local.folder}/triggers/${file}")))
  }
}

output "statements" {
  description = "The statements of the role's policy, as IAM writes them."
  value = [
    for statement in local.deployed : {
      for key, value in {
        Sid       = statement.sid
        Effect    = "Allow"
        Action    = statement.actions
        Resource  = statement.resources
        Condition = try(statement.conditions, null)
      } : key => value if value != null
    }
  ]
}
