//! The command at a terminal: what people see, and what they type.

use std::process::Stdio;

use drill::account::Account;
use drill::tools::Tools;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Python's standard library has what it takes to be a terminal of so many columns.
const TERMINAL: &str = "import os, pty, sys; \
    ended = pty.spawn(['sh', '-c', f'stty rows 40 cols {sys.argv[1]}; exec \"$0\" \"$@\"', *sys.argv[2:]]); \
    sys.exit(os.waitstatus_to_exitcode(ended))";

/// Runs the command at a terminal; gives its exit code and everything that the terminal was sent.
pub(crate) async fn at_terminal(
    tools: &Tools,
    account: &Account,
    columns: u16,
    arguments: &[&str],
    typed: &str,
) -> (Option<i32>, String) {
    let mut command = Command::new(&tools.python);
    command
        .args(["-c", TERMINAL, &columns.to_string(), env!("CARGO_BIN_EXE_tourniquet")])
        .args(arguments)
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ENDPOINT_URL", format!("http://{}", account.address))
        .env("AWS_REGION", &account.region)
        .env("AWS_ACCESS_KEY_ID", &account.administrator)
        .env("AWS_SECRET_ACCESS_KEY", "simulated");
    let piped =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = piped.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(typed.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    drop(stdin);
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}
