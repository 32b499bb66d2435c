# Reads one room: what its files say, with the names of the deployment filled in. Makes nothing.

locals {
  project = "${path.module}/../../.."
  folder  = "${local.project}/crates/${var.name}"

  manifest = jsondecode(file("${local.folder}/function.json"))

  # Statements of a role, filled in. A name that the deployment does not know fails the plan and is named.
  own_text    = file("${local.folder}/permissions.json")
  shared_text = file("${local.project}/shared/permissions.json")
  own         = jsondecode(templatestring(local.own_text, var.names)).statements
  shared      = jsondecode(templatestring(local.shared_text, var.shared ? var.names : merge(var.names, { journal_table = "", report_topic = "" }))).statements

  # Those that belong to a setting only where the setting is on.
  deployed = [
    for statement in concat([for every in local.shared : every if var.shared], local.own) : statement
    if !can(statement.setting) || try(var.settings[statement.setting], statement.default, false) == true
  ]
}
