//! The command `tourniquet`.

fn main() -> std::process::ExitCode {
    operator::main()
}
