//! docs/permissions.md is made from the rooms' permissions.json: `TOURNIQUET_WRITE=1 cargo nextest run -p drill permissions_page`
//! writes it, and the test fails when it is old.

use std::fmt::Write;

use drill::scenario;
use serde_json::Value;

use super::{name, project, read, rooms};

const HEAD: &str = "# Permissions

What each function's role may do, made from the `permissions.json` of the rooms; Terraform and the drill deploy the very same statements. A statement that only a setting needs is
deployed with that setting only. No role can start or terminate an instance, stop or delete a trail, create or delete an access key, or read an object of a bucket.
Undo runs under the operator's own credentials.
";

fn text(value: &Value) -> String {
    match value {
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join("<br>"),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let folders = [project().join("shared")].into_iter().chain(rooms());
    for folder in folders {
        let title = name(&folder);
        let title = if title == "shared" { "Every function" } else { title.as_str() };
        write!(
            page,
            "\n## {title}\n\n| statement | allows | on | if | why |\n| --- | --- | --- | --- | --- |\n"
        )
        .unwrap();
        let permissions: Value = scenario::read(&folder.join("permissions.json")).unwrap();
        for statement in permissions["statements"].as_array().unwrap() {
            let conditions = statement.get("conditions").map(text).unwrap_or_default();
            let setting = statement.get("setting").and_then(Value::as_str).map(|setting| {
                let on = statement.get("default").is_some_and(|default| *default == Value::Bool(true));
                format!("setting `{setting}`{}", if on { ", on by default" } else { "" })
            });
            let conditions: Vec<String> =
                setting.into_iter().chain((!conditions.is_empty()).then_some(conditions)).collect();
            let cell = |name: &str| text(&statement[name]);
            writeln!(
                page,
                "| {} | {} | {} | {} | {} |",
                statement["sid"].as_str().unwrap(),
                cell("actions"),
                cell("resources"),
                conditions.join("<br>"),
                statement["why"].as_str().unwrap()
            )
            .unwrap();
        }
    }
    page
}

#[test]
fn the_permissions_page_is_what_the_rooms_say() {
    let file = project().join("docs/permissions.md");
    if std::env::var_os("TOURNIQUET_WRITE").is_some() {
        std::fs::write(&file, page()).unwrap();
    }
    assert!(read(&file) == page(), "docs/permissions.md is old: see tests/rooms/page.rs");
}
