//! The settings of `block-public-bucket`.

use serde::Deserialize;

/// The settings of `block-public-bucket`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Take just the public grants and statements out of the ACL and the policy, instead of putting the block on. What
    /// cannot be taken out so is answered with the block all the same.
    pub surgical: bool,
    /// Put the block on wherever it is not fully on, even where nothing is public yet.
    pub require_block: bool,
    /// Put the account's block back on where it was removed or weakened, instead of only saying so.
    pub restore_account_block: bool,
}

impl tourniquet::Settings for Settings {
    /// Any combination makes sense: with both `surgical` and `require_block`, grants go and the block comes.
    fn check(&self) -> Result<(), (&'static str, String)> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tourniquet::Config;

    use super::*;

    #[test]
    fn g22_a_wrong_setting_names_its_key() {
        for (settings, expected) in [
            (r#"{"surgicaly":true}"#, "unknown field `surgicaly`"),
            (r#"{"surgical":"yes"}"#, "settings.surgical: invalid type"),
            (r#"{"restore_account_block":1}"#, "settings.restore_account_block: invalid type"),
        ] {
            let raw = format!(r#"{{"account":"111122223333","settings":{settings}}}"#);
            let problem = Config::<Settings>::parse(&raw).unwrap_err().to_string();
            assert!(problem.contains(expected), "{settings}: {problem}");
        }
    }
}
