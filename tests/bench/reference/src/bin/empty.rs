//! A function that does nothing: what Lambda's runtime costs.

use lambda_runtime::Error;
use serde_json::Value;

fn main() -> Result<(), Error> {
    bench_reference::serve(|_| async { Ok(Value::Null) })
}
