//! Tests that hold for every function: written once, listed once for each.
//!
//! `for_every_function!(a, b)` makes the tests `stop_instance::a`, `stop_instance::b` and so on of the functions
//! `async fn a(function: &'static str)`.

macro_rules! for_every_function {
    ($($test:ident),* $(,)?) => {
        for_every_function!(@each [$($test),*] stop_instance "stop-instance");
        for_every_function!(@each [$($test),*] block_public_bucket "block-public-bucket");
        for_every_function!(@each [$($test),*] restore_trail "restore-trail");
        for_every_function!(@each [$($test),*] disable_old_keys "disable-old-keys");
        for_every_function!(@each [$($test),*] revoke_open_ingress "revoke-open-ingress");
    };
    (@each [$($test:ident),*] $module:ident $function:literal) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$test($function).await;
                }
            )*
        }
    };
}

pub(crate) use for_every_function;
