//! `lag.csv`: the lag of every partition at every sample, long: one row for each sample, group and partition.
//!
//! | column | |
//! |---|---|
//! | `at_ms` | virtual time of the sample in milliseconds, with decimals only if needed |
//! | `group`, `topic`, `partition` | |
//! | `committed_lag` | high watermark − committed offset, as `kafka-consumer-groups` shows it; empty without a commit |
//! | `position_lag` | high watermark − position of the owner (the consumer metric `records-lag`) |
//! | `unprocessed` | records below the high watermark that the application has not finished, lost ones too, but not those that a reset passed over; what the chart draws |

use std::io::{self, Write};

use crate::report::{Report, figures};
use crate::units::Instant;

pub const HEADER: &str = "at_ms,group,topic,partition,committed_lag,position_lag,unprocessed";

/// So many bytes, and a sample's rows, are written at once.
const PIECE: usize = 1 << 15;

pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let measurements = &report.run.measurements;
    let columns: Vec<(String, &crate::metrics::PartitionMeasurements)> = measurements
        .groups
        .iter()
        .zip(&report.scenario.groups)
        .flat_map(|(measured, group)| measured.partitions.iter().map(move |partition| (group, partition)))
        .map(|(group, partition)| {
            let topic = &report.scenario.topics[partition.partition.topic.index()].name;
            (format!("{},{},{}", quoted(&group.name), quoted(topic), partition.partition.partition), partition)
        })
        .collect();
    let mut text = Vec::with_capacity(PIECE);
    text.extend_from_slice(HEADER.as_bytes());
    text.push(b'\n');
    for sample in 0..measurements.samples {
        let at = figures::millis(Instant::ZERO + measurements.sample_interval.times(sample as u64));
        for (key, partition) in &columns {
            // A partition that is added later has no rows before.
            let Some(lag) = partition.lag.get(sample) else { continue };
            text.extend_from_slice(at.as_bytes());
            text.push(b',');
            text.extend_from_slice(key.as_bytes());
            text.push(b',');
            if let Some(committed) = lag.committed {
                push_number(&mut text, committed);
            }
            text.push(b',');
            push_number(&mut text, lag.position);
            text.push(b',');
            push_number(&mut text, lag.unprocessed);
            text.push(b'\n');
        }
        if text.len() >= PIECE {
            out.write_all(&text)?;
            text.clear();
        }
    }
    out.write_all(&text)
}

/// Rows are most of what a run without charts writes, and `write!` takes four times as long.
fn push_number(text: &mut Vec<u8>, number: impl serde::Serialize) {
    serde_json::to_writer(text, &number).expect("a Vec takes every byte");
}

/// RFC 4180: quoted if it has a comma, a quote or a line break.
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}
