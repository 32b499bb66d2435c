//! Terraform, in a copy of what it reads, so that it leaves nothing beside the sources; and the zip files for it.

use std::path::Path;
use std::process::Output;

use drill::account::Account;
use drill::tools::Tools;
use serde_json::Value;
use tokio::process::Command;

/// Packs the functions into a folder, as `scripts/build` does.
pub(super) async fn pack(tools: &Tools, folder: &Path) {
    for function in tools.functions().unwrap() {
        let zip = folder.join(format!("{function}-x86_64.zip"));
        let binary = tools.binary(&function).unwrap();
        let pack = tools.project.join("scripts/zip.py");
        let packed = Command::new(&tools.python).arg(pack).arg(binary).arg(zip).status().await.unwrap();
        assert!(packed.success());
    }
}

/// The copy, and the simulated account that Terraform takes for AWS.
pub(super) struct Copy {
    folder: tempfile::TempDir,
    endpoint: String,
    key: String,
    region: String,
}

impl Copy {
    /// Copies.
    pub(super) async fn of(tools: &Tools, account: &Account) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rooms = "infra shared/permissions.json crates/*/function.json crates/*/permissions.json crates/*/triggers";
        let copy = format!("tar cf - {rooms} | tar xf - -C '{}'", folder.path().display());
        let done = Command::new("sh").args(["-c", &copy]).current_dir(&tools.project).status().await.unwrap();
        assert!(done.success());
        let endpoint = format!("http://{}", account.address);
        Self { folder, endpoint, key: account.administrator.clone(), region: account.region.clone() }
    }

    /// The provider of a folder where there is no registry.
    pub(super) async fn init(&self) {
        let plugins = std::env::var("TOURNIQUET_TF_PLUGINS").ok().filter(|folder| !folder.is_empty());
        let plugins = plugins.map(|folder| format!("-plugin-dir={folder}"));
        let init: Vec<&str> = ["init", "-input=false"].into_iter().chain(plugins.as_deref()).collect();
        self.succeeds(&init, &Value::Null).await;
    }

    /// Runs Terraform with the variables of a deployment.
    pub(super) async fn terraform(&self, arguments: &[&str], deployment: &Value) -> Output {
        let mut command = Command::new("terraform");
        let root = self.folder.path().join("infra/tests/simulated");
        command.args(arguments).arg("-no-color").current_dir(root).kill_on_drop(true);
        if std::env::var_os("TF_CLI_CONFIG_FILE").is_some_and(|file| !Path::new(&file).exists()) {
            command.env_remove("TF_CLI_CONFIG_FILE");
        }
        command
            .env("CHECKPOINT_DISABLE", "1")
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_REGION", &self.region)
            .env("AWS_ACCESS_KEY_ID", &self.key)
            .env("AWS_SECRET_ACCESS_KEY", "simulated")
            .env("TF_VAR_deployment", deployment.to_string())
            .output()
            .await
            .unwrap()
    }

    /// [`Copy::terraform`], and it must succeed.
    pub(super) async fn succeeds(&self, arguments: &[&str], deployment: &Value) {
        let output = self.terraform(arguments, deployment).await;
        let says = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}{}", says(&output.stdout), says(&output.stderr));
    }
}
