//! The program `domino-sandbox`: a Domino on your own machine, until you stop it.

fn main() -> std::process::ExitCode {
    domino_sandbox::program::main()
}
