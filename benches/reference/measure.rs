//! What a process costs: time on the wall, time on the processor, and memory at its peak, from Linux's /proc.

use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Clone, Debug)]
pub struct Cost {
    pub wall: Duration,
    /// `None` where there is no /proc.
    pub cpu: Option<Duration>,
    pub peak_kib: Option<u64>,
    pub stdout: String,
}

/// Runs a command to its end. Its output has to fit a pipe (64 KiB).
pub fn measure(command: &mut Command) -> io::Result<Cost> {
    let begin = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let process = format!("/proc/{}", child.id());
    let (mut wall, mut peak_kib) = (None, None);
    // A process that ended can be looked at until it is waited for: its processor time is final then, its memory gone.
    while let Ok(status) = fs::read_to_string(format!("{process}/status")) {
        if field(&status, "State:").is_some_and(|state| state.starts_with('Z')) {
            wall = Some(begin.elapsed());
            break;
        }
        peak_kib = field(&status, "VmHWM:").and_then(|peak| peak.split(' ').next()?.parse().ok()).or(peak_kib);
        thread::sleep(Duration::from_micros(100));
    }
    let cpu = fs::read_to_string(format!("{process}/schedstat")).ok();
    let cpu = cpu.and_then(|times| times.split(' ').next()?.parse().ok()).map(Duration::from_nanos);
    let output = child.wait_with_output()?;
    let wall = wall.unwrap_or_else(|| begin.elapsed());
    if !output.status.success() {
        return Err(io::Error::other(format!("{command:?} ended with {}", output.status)));
    }
    Ok(Cost { wall, cpu, peak_kib, stdout: String::from_utf8_lossy(&output.stdout).into_owned() })
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}
