//! The program: hands its arguments to [`groupsim::cli`] and ends with the number that comes back.

fn main() -> std::process::ExitCode {
    groupsim::cli::run_program(std::env::args_os()).into()
}
