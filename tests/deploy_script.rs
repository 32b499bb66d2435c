//! `scripts/deploy` sends new code to a function that stands, and changes nothing else of it; what it cannot do it says in one sentence.

#![cfg(test)]

use std::path::Path;
use std::process::{Command, Output};

use drill::account::Account;
use drill::tools::Tools;
use serde_json::{Value, json};

/// A zip of nothing.
const EMPTY: &str = "PK\u{5}\u{6}\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// What Terraform set and no deployment may change.
const KEPT: &str = "{role: Role, memory: MemorySize, timeout: Timeout, variables: Environment.Variables, runtime: Runtime, description: Description}";

fn architecture() -> &'static str {
    if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" }
}

/// A command as an administrator of the simulated account would type it, with nothing of this machine's own account.
fn typed(program: &Path, tools: &Tools, account: &Account) -> Command {
    let mut command = Command::new(program);
    command
        .env("AWS_ENDPOINT_URL", format!("http://{}", account.address))
        .env("AWS_ACCESS_KEY_ID", &account.administrator)
        .env("AWS_SECRET_ACCESS_KEY", "simulated")
        .env("AWS_REGION", &account.region)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NO_PROXY", "127.0.0.1")
        .env("TOURNIQUET_BIN_DIR", &tools.binaries);
    for name in ["AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"] {
        command.env_remove(name);
    }
    command
}

fn deploy(tools: &Tools, account: &Account, arguments: &[&str]) -> Command {
    let mut command = typed(&tools.project.join("scripts/deploy"), tools, account);
    command.args(arguments);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

/// Makes a function as Terraform does; memory and timeout are unlike those of any `function.json`.
async fn stand(account: &Account, function: &str) {
    let name = format!("tourniquet-{function}");
    let role = json!({"RoleName": name, "AssumeRolePolicyDocument": json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }).to_string()});
    let role = account.call("iam.create_role", role, "Role.Arn").await.unwrap();
    let made = json!({
        "FunctionName": name, "Role": role, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Description": format!("Tourniquet: {function} (observe)"), "Architectures": [architecture()],
        "MemorySize": 333, "Timeout": 44, "Code": {"ZipFile": EMPTY},
        "Environment": {"Variables": {"TOURNIQUET_CONFIG": "{\"mode\":\"observe\"}"}}
    });
    account.call("lambda.create_function", made, "@").await.unwrap();
}

async fn shown(account: &Account, function: &str, at: &str) -> Value {
    let name = json!({"FunctionName": format!("tourniquet-{function}")});
    account.call("lambda.get_function_configuration", name, at).await.unwrap()
}

/// The checksum of the zip that `scripts/build` makes of a binary, as Lambda writes it.
fn built(tools: &Tools, function: &str) -> Value {
    let zip = tempfile::NamedTempFile::new().unwrap();
    let pack = tools.project.join("scripts/zip.py");
    let binary = tools.binary(function).unwrap();
    assert!(Command::new(&tools.python).arg(pack).arg(binary).arg(zip.path()).status().unwrap().success());
    let sum = "import base64, hashlib, sys; print(base64.b64encode(hashlib.sha256(open(sys.argv[1], 'rb').read()).digest()).decode())";
    let sum = Command::new(&tools.python).args(["-c", sum]).arg(zip.path()).output().unwrap();
    json!(String::from_utf8_lossy(&sum.stdout).trim())
}

#[tokio::test]
async fn it_sends_what_is_built_and_changes_nothing_else() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    stand(&account, "restore-trail").await;
    let before = shown(&account, "restore-trail", KEPT).await;
    let done = deploy(&tools, &account, &["restore-trail"]).output().unwrap();
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(shown(&account, "restore-trail", "CodeSha256").await, built(&tools, "restore-trail"));
    assert_eq!(shown(&account, "restore-trail", KEPT).await, before);
}

/// The metadata in a function's `Cargo.toml`: who types `cargo lambda deploy` with a variable does not lose the configuration, and
/// nothing that is Terraform's stands in them.
#[tokio::test]
async fn a_variable_given_by_hand_is_all_that_is_added() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    for function in tools.functions().unwrap() {
        stand(&account, &function).await;
        let mut wanted = shown(&account, &function, KEPT).await;
        wanted["variables"]["EXTRA"] = json!("1");
        let binary = folder.path().join(&function).join("bootstrap");
        std::fs::create_dir(binary.parent().unwrap()).unwrap();
        std::fs::copy(tools.binary(&function).unwrap(), &binary).unwrap();
        let done = typed(&tools.python.with_file_name("cargo-lambda"), &tools, &account)
            .args(["lambda", "deploy", "--env-var", "EXTRA=1", "--binary-name", &function, "--lambda-dir"])
            .arg(folder.path())
            .arg(format!("tourniquet-{function}"))
            .current_dir(&tools.project)
            .output()
            .unwrap();
        assert!(done.status.success(), "{function}: {}", said(&done));
        assert_eq!(shown(&account, &function, KEPT).await, wanted, "{function}");
    }
}

#[tokio::test]
async fn what_it_cannot_do_it_says_in_one_sentence_and_nothing_is_made_or_changed() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    stand(&account, "restore-trail").await;
    let code = shown(&account, "restore-trail", "CodeSha256").await;
    let refused = |mut command: Command, why: &str| {
        let output = command.output().unwrap();
        let said = said(&output);
        assert!(!output.status.success() && said.contains(why), "instead of '{why}': {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    };
    let deploy = |arguments: &[&str]| deploy(&tools, &account, arguments);
    refused(deploy(&[]), "Name one function: block-public-bucket ");
    refused(
        deploy(&["restore-trails"]),
        "There is no function 'restore-trails'; there are: block-public-bucket ",
    );
    refused(
        deploy(&["stop-instance"]),
        "tourniquet-stop-instance is not deployed in eu-central-1: Terraform makes it first",
    );
    refused(deploy(&["restore-trail", "--arch", "mips"]), "There is no architecture 'mips'");
    let other = if architecture() == "arm64" { "x86_64" } else { "arm64" };
    refused(deploy(&["restore-trail", "--arch", other]), &format!("leave out --arch {other}"));
    let mut nobody = deploy(&["restore-trail"]);
    nobody.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    refused(nobody, "There are no AWS credentials");
    let mut nowhere = deploy(&["restore-trail"]);
    nowhere.env_remove("AWS_REGION");
    refused(nowhere, "There is no AWS region");
    let script = tempfile::tempdir().unwrap();
    std::fs::create_dir(script.path().join("restore-trail")).unwrap();
    std::fs::write(script.path().join("restore-trail/bootstrap"), "#!/bin/sh\n# not a binary\n").unwrap();
    let mut foreign = deploy(&["restore-trail"]);
    foreign.env("TOURNIQUET_BIN_DIR", script.path());
    refused(foreign, "is made for another system");
    assert_eq!(shown(&account, "restore-trail", "CodeSha256").await, code);
    let all = account.call("lambda.list_functions", json!({}), "Functions[].FunctionName").await.unwrap();
    assert_eq!(all, json!(["tourniquet-restore-trail"]));
    let roles = account.call("iam.list_roles", json!({}), "Roles[].RoleName").await.unwrap();
    assert_eq!(roles, json!(["tourniquet-restore-trail"]));
}
