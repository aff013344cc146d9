//! A mistake of ours: one sentence for the user, and a backtrace only for those who ask for one (RUST_BACKTRACE).

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};

use super::say;

/// From here on a panic is told in one sentence; `what` was being done is part of it.
pub fn explain_panics(what: String) {
    panic::set_hook(Box::new(move |panicked| {
        say(&sentence(message(panicked), &panicked.location().map_or(String::new(), ToString::to_string), &what));
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            say(&backtrace.to_string());
        }
    }));
}

fn sentence(message: &str, location: &str, what: &str) -> String {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("internal error: {message} ({location}): a mistake in groupsim, not in its input; please report it, with this line: {what}")
}

fn message<'a>(panicked: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = panicked.payload();
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_on_one_line_with_what_a_report_needs() {
        let told = sentence("this must hold\n  left: 1\n right: 2", "src/sim.rs:7:9", "groupsim 0.1.0, the scenario `x`, seed 3");
        assert_eq!(told.lines().count(), 1);
        for part in ["internal error: this must hold left: 1 right: 2 (src/sim.rs:7:9)", "please report it", "the scenario `x`, seed 3"] {
            assert!(told.contains(part), "{told}");
        }
    }
}
