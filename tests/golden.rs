//! Every file of `scenarios/`: what it expects holds, its summary and the story of its rebalances are as reviewed. The trace hash is part
//! of the summary.

use std::fs;
use std::path::Path;

use groupsim::report::summary::{self, page};
use groupsim::report::{Report, Source};
use groupsim::scenario::{self, builtin};
use groupsim::trace::text::TextLines;
use groupsim::trace::{Sink, TraceEvent};
use groupsim::units::Instant;

#[test]
fn every_scenario_goes_as_it_says() {
    insta::with_settings!({filters => vec![(r"groupsim \d+\.\d+\.\d+", "groupsim [version]")]}, {
        insta::glob!("../scenarios", "*.yaml", |path| {
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
            let (summary, story) = told(path, name);
            insta::with_settings!({snapshot_suffix => name, omit_expression => true}, {
                insta::assert_snapshot!("summary", summary);
                insta::assert_snapshot!("rebalances", story);
            });
        });
    });
}

#[test]
fn every_file_is_built_in() {
    let mut files: Vec<String> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"))
        .expect("the folder is there")
        .filter_map(|entry| entry.expect("an entry").file_name().to_str()?.strip_suffix(".yaml").map(str::to_owned))
        .collect();
    let mut names: Vec<&str> = builtin::ALL.iter().map(|builtin| builtin.name).collect();
    files.sort_unstable();
    names.sort_unstable();
    assert_eq!(files, names);
}

/// summary.txt, and what the group and its members went through. What the scenario expects has held.
fn told(path: &Path, name: &str) -> (String, String) {
    let text = fs::read_to_string(path).expect("the scenario can be read");
    let (scenario, warnings) = scenario::load(&text, name).unwrap_or_else(|problems| panic!("{}", problems.styled()));
    assert_eq!(warnings.list, [], "{name} warns");
    assert!(!scenario.expect.is_empty() && scenario.about.is_some() && scenario.lesson.is_some(), "{name} has a lesson and expectations");
    let mut story = Rebalances { lines: TextLines::new(scenario.names(), Vec::new()), left: STORY_LINES, untold: 0 };
    let run = groupsim::run::play(&scenario, scenario.seed, &mut story);
    let report = Report::new(&scenario, Source { argument: name, text: &text }, run);
    let summary = summary::page(&report).plain();
    assert_eq!(report.judgement.verdict.exit_code(), 0, "{summary}");
    assert!(summary.lines().all(|line| line.chars().count() <= page::NARROWEST), "{summary}");
    (summary, story.finish())
}

/// So many lines tell a story.
const STORY_LINES: usize = 60;

/// The facts of a trace that make up the story of its rebalances, the first of them.
struct Rebalances {
    lines: TextLines<Vec<u8>>,
    left: usize,
    untold: usize,
}

impl Rebalances {
    fn finish(self) -> String {
        let mut text = String::from_utf8(self.lines.finish().expect("memory takes lines")).expect("lines are text");
        if self.untold > 0 {
            text += &format!("and {} more\n", self.untold);
        }
        text
    }
}

impl Sink for Rebalances {
    fn record(&mut self, at: Instant, event: &TraceEvent) {
        if !is_of_the_story(event) {
            return;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                self.lines.record(at, event);
            }
            None => self.untold += 1,
        }
    }
}

/// All but records, commits, heartbeats and how a client finds its way.
fn is_of_the_story(event: &TraceEvent) -> bool {
    match event {
        TraceEvent::PartitionsAdded { .. }
        | TraceEvent::ClientStarted { .. }
        | TraceEvent::ClientStopping { .. }
        | TraceEvent::ClientStopped { .. }
        | TraceEvent::ClientCrashed { .. }
        | TraceEvent::ClientPaused { .. }
        | TraceEvent::ClientResumed { .. }
        | TraceEvent::ClientSlowed { .. }
        | TraceEvent::ClientSpeedRestored { .. }
        | TraceEvent::ClientFailed { .. }
        | TraceEvent::GroupStateChanged { .. }
        | TraceEvent::MemberPending { .. }
        | TraceEvent::PendingDropped { .. }
        | TraceEvent::MemberAdded { .. }
        | TraceEvent::MemberReplaced { .. }
        | TraceEvent::MemberRemoved { .. }
        | TraceEvent::RebalanceStarted { .. }
        | TraceEvent::InitialDelayExtended { .. }
        | TraceEvent::MemberRejoined { .. }
        | TraceEvent::JoinPhaseEnded { .. }
        | TraceEvent::RequestRefused { .. }
        | TraceEvent::OffsetExpired { .. }
        | TraceEvent::GroupDeleted { .. }
        | TraceEvent::AssignmentComputed { .. }
        | TraceEvent::RebalanceNoticed { .. }
        | TraceEvent::PollIntervalExceeded { .. }
        | TraceEvent::MembershipLost { .. }
        | TraceEvent::RevocationPending { .. }
        | TraceEvent::Revoked { .. }
        | TraceEvent::Lost { .. }
        | TraceEvent::Assigned { .. }
        | TraceEvent::GroupProtocolChanged { .. }
        | TraceEvent::GroupEpochBumped { .. }
        | TraceEvent::TargetComputed { .. }
        | TraceEvent::MemberReconciled { .. }
        | TraceEvent::Fault(_)
        | TraceEvent::Topics(_) => true,
        TraceEvent::Appended { .. }
        | TraceEvent::ProducerStopped { .. }
        | TraceEvent::RateChanged { .. }
        | TraceEvent::HeartbeatHandled { .. }
        | TraceEvent::Committed { .. }
        | TraceEvent::CommitRefused { .. }
        | TraceEvent::CommitFailed { .. }
        | TraceEvent::CoordinatorFound { .. }
        | TraceEvent::JoinSent { .. }
        | TraceEvent::PositionSet { .. }
        | TraceEvent::FetchStarted { .. }
        | TraceEvent::Polled { .. }
        | TraceEvent::Processed { .. }
        | TraceEvent::Dropped { .. }
        | TraceEvent::RunPhaseEnded
        | TraceEvent::SettlePhaseEnded { .. } => false,
    }
}
