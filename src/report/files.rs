//! The files of a run, from the report to wherever they are to be written.

use std::io::{self, Write};

use super::{Output, Report, chart, csv, json, replay, summary};

/// What is drawn once for several files.
pub struct Files<'a> {
    report: &'a Report<'a>,
    /// `None`: without pictures.
    chart: Option<String>,
}

impl<'a> Files<'a> {
    /// Of this run, all but the trace, which is written while the run goes on; without the pictures if `charts` is false.
    pub fn new(report: &'a Report<'a>, charts: bool) -> Self {
        Files { report, chart: charts.then(|| chart::render(report)) }
    }

    pub fn outputs(&self) -> impl Iterator<Item = Output> {
        let is_drawn = self.chart.is_some();
        Output::ALL.into_iter().filter(move |output| match output {
            Output::Summary | Output::SummaryJson | Output::LagCsv | Output::Replay => true,
            Output::LagSvg => is_drawn,
            Output::LagPng => is_drawn && cfg!(feature = "png"),
            Output::Trace => false,
        })
    }

    /// Writes one of [`Files::outputs`], in few and large pieces.
    pub fn write(&self, output: Output, out: &mut impl Write) -> io::Result<()> {
        let chart = self.chart.as_deref().unwrap_or_default();
        match output {
            Output::Summary => out.write_all(summary::page(self.report).plain().as_bytes()),
            Output::SummaryJson => out.write_all(json::render(self.report).as_bytes()),
            Output::LagCsv => csv::write(self.report, out),
            Output::LagSvg => out.write_all(chart.as_bytes()),
            Output::LagPng => out.write_all(&pixels(chart)),
            Output::Trace => Ok(()),
            Output::Replay => out.write_all(replay::render(self.report).as_bytes()),
        }
    }

    /// All of them in memory.
    pub fn rendered(&self) -> Vec<(Output, Vec<u8>)> {
        let rendered = |output| {
            let mut content = Vec::new();
            self.write(output, &mut content).expect("a Vec takes every byte");
            (output, content)
        };
        self.outputs().map(rendered).collect()
    }
}

#[cfg(feature = "png")]
fn pixels(svg: &str) -> Vec<u8> {
    super::png::render(svg)
}

#[cfg(not(feature = "png"))]
fn pixels(_svg: &str) -> Vec<u8> {
    Vec::new()
}
