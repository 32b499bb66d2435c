//! The command as a process, against a simulated account or against nothing.

use std::process::Stdio;

use drill::account::Account;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs it with the key of the account's administrator; an endpoint of `None` is for what asks nothing of AWS.
pub(crate) async fn run(at: Option<(&Account, &str)>, arguments: &[&str], input: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tourniquet"));
    command
        .args(arguments)
        .env_clear()
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    if let Some((account, endpoint)) = at {
        command
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_REGION", &account.region)
            .env("AWS_ACCESS_KEY_ID", &account.administrator)
            .env("AWS_SECRET_ACCESS_KEY", "simulated");
    }
    let piped =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}
