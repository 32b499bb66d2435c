//! A function as Lambda has it.

use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use tourniquet::error::{Class, Error, aws};
use tourniquet::settings::VARIABLE;

use crate::aws::Aws;

/// What Lambda says of a function; `None` if there is none.
pub(crate) async fn read(to: &Aws, function: &str) -> Result<Option<GetFunctionConfigurationOutput>, Error> {
    let client = aws_sdk_lambda::Client::new(&to.config());
    let asked =
        client.get_function_configuration().function_name(format!("tourniquet-{function}")).send().await;
    match asked.map_err(|e| aws("lambda:GetFunctionConfiguration", e)) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.class() == Some(Class::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The configuration that it has.
pub(crate) fn configuration(function: &GetFunctionConfigurationOutput) -> Option<String> {
    function.environment()?.variables()?.get(VARIABLE).cloned()
}
