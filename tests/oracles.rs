//! The watchers are watched: a scenario that must fail does, and traces of real runs with one fact falsified are noticed.

use std::io::Write;
use std::process::{Command, Stdio};

use groupsim::fold::Folding;
use groupsim::invariant::Invariants;
use groupsim::ledger::{Account, Ledger};
use groupsim::scenario::{self, builtin};
use groupsim::terms::GroupState;
use groupsim::trace::{Cast, Sink, TraceEvent};
use groupsim::units::{Instant, Offset, OffsetRange};

type Trace = Vec<(Instant, TraceEvent)>;

/// How a run of this scenario ends, by its exit code.
fn exit_code(scenario: &str) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groupsim"));
    let out = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracles");
    let command = command.args(["run", "-", "--quiet", "--no-charts", "--out"]).arg(out);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(scenario.as_bytes()).expect("it reads its input");
    child.wait().expect("it ends").code()
}

#[test]
fn a_scenario_that_must_fail_fails() {
    let crash = builtin::find("consumer-crash").expect("it is built in").text;
    assert_eq!(exit_code(crash), Some(0));
    for (right, wrong) in [
        ("{lost: 0}", "{lost: {at.least: 1}}"),
        ("{lost: 0}", "{duplicated: 0}"),
        ("exactly: 2", "exactly: 3"),
        ("exactly: 45119ms", "exactly: 45118ms"),
        ("{orders-2: B, orders-3: B}", "{orders-2: B, orders-3: C}"),
    ] {
        assert!(crash.contains(right));
        assert_eq!(exit_code(&crash.replacen(right, wrong, 1)), Some(1), "{wrong}");
    }
    let hurried = crash.replace("duration: 4m", "duration: 100s\nsettle: 1ms");
    let hurried = format!("{}expect: [{{duplicated: 0}}]\n", hurried.split("expect:").next().expect("a beginning"));
    assert_eq!(exit_code(&hurried), Some(2), "the settle bound comes before what B had is processed again");
}

/// A run with a crash, a restart, a graceful leave and a member that polls too late; `PROTOCOL` is left open.
const EVENTFUL: &str = "
duration: 3m
topics: {orders: 4}
producers: {shop: {topic: orders, rate: 200/s, keys: {prefix: k, count: 100}}}
groups:
  billing:
    topics: [orders]
    members: [A, B, C]
    processing: 2ms
    config: {auto.offset.reset: earliest, max.poll.interval.ms: 9000, PROTOCOL}
timeline:
  - {at: 30s, crash: billing/B}
  - {at: 50s, start: billing/B}
  - {at: 80s, stop: billing/C}
  - {at: 100s, slow: billing/A, factor: 500, for: 15s}
";

struct Recorded {
    cast: Cast,
    trace: Trace,
    account: Account,
}

const EAGER: &str = "session.timeout.ms: 10000, partition.assignment.strategy: [range]";
const COOPERATIVE: &str = "session.timeout.ms: 10000, partition.assignment.strategy: [cooperative-sticky]";
const CONSUMER: &str = "group.protocol: consumer";

/// The same under every protocol.
fn runs() -> [Recorded; 3] {
    [EAGER, COOPERATIVE, CONSUMER].map(recorded)
}

fn recorded(protocol: &str) -> Recorded {
    let scenario = EVENTFUL.replace("PROTOCOL", protocol);
    let (scenario, _) = scenario::load(&scenario, "eventful.yaml").unwrap_or_else(|problems| panic!("{}", problems.styled()));
    let mut trace = Trace::new();
    let mut run = groupsim::run::play(&scenario, scenario.seed, &mut trace);
    assert_eq!(run.violations, []);
    assert!(run.accounts[0].duplicates.len() > 1 && run.accounts[0].lost == 0);
    Recorded { cast: scenario.cast(), trace, account: run.accounts.remove(0) }
}

impl Recorded {
    /// The places of such facts, a few of them all along the run.
    fn places(&self, is: impl Fn(&TraceEvent) -> bool) -> Vec<usize> {
        let all: Vec<usize> = (0..self.trace.len()).filter(|i| is(&self.trace[*i].1)).collect();
        assert!(!all.is_empty(), "there is something to falsify");
        all.iter().step_by(all.len().div_ceil(20)).copied().collect()
    }

    fn violations(&self, trace: &Trace) -> u64 {
        let mut folding = Folding::new(&self.cast, Invariants::new(&self.cast));
        trace.iter().for_each(|(at, event)| folding.record(*at, event));
        folding.finish().0.count()
    }

    fn account(&self, trace: &Trace) -> Account {
        let mut folding = Folding::new(&self.cast, Ledger::new(&self.cast));
        trace.iter().for_each(|(at, event)| folding.record(*at, event));
        let (ledger, known) = folding.finish();
        ledger.accounts(&known).remove(0)
    }

    /// Each such fact, falsified alone, is a violation.
    #[track_caller]
    fn is_noticed(&self, is: impl Fn(&TraceEvent) -> bool, falsify: impl Fn(&mut Trace, usize)) {
        for place in self.places(is) {
            let mut trace = self.trace.clone();
            falsify(&mut trace, place);
            assert_ne!(self.violations(&trace), 0, "nobody noticed what was done to {:?}", self.trace[place]);
        }
    }
}

#[test]
fn the_run_itself_is_in_order() {
    for run in runs() {
        assert_eq!(run.violations(&run.trace), 0);
        assert_eq!(run.account(&run.trace), run.account);
    }
}

#[test]
fn the_ledger_notices_a_record_processed_once_more_or_never() {
    for run in runs() {
        let processed = run.places(|event| matches!(event, TraceEvent::Processed { .. }));
        for place in processed {
            let (at, event) = run.trace[place].clone();
            let TraceEvent::Processed { client, partition, offsets, .. } = &event else { unreachable!("only such places") };
            let mut again = run.trace.clone();
            again.insert(place + 1, (at, event.clone()));
            assert_eq!(run.account(&again).extra, run.account.extra + offsets.len(), "{event:?}");

            let mut never = run.trace.clone();
            never[place].1 = TraceEvent::Dropped { client: *client, partition: *partition, offsets: *offsets };
            let account = run.account(&never);
            let missed = account.lost + (run.account.extra - account.extra);
            assert_eq!(missed, offsets.len(), "{event:?}");

            // Whoever lives and does not finish them has them in hand.
            never.remove(place);
            let account = run.account(&never);
            let missed = account.lost + account.unsettled + (run.account.extra - account.extra);
            assert_eq!((missed, run.account.unsettled), (offsets.len(), 0), "{event:?}");
        }
    }
}

#[test]
fn processing_without_having_polled_is_noticed() {
    for run in runs() {
        let is_processed = |event: &TraceEvent| matches!(event, TraceEvent::Processed { .. });
        run.is_noticed(is_processed, |trace, place| trace.insert(place + 1, trace[place].clone()));
        run.is_noticed(
            |event| matches!(event, TraceEvent::Polled { .. }),
            |trace, place| {
                trace.remove(place);
            },
        );
    }
}

#[test]
fn reading_what_is_not_there_is_noticed() {
    for run in runs() {
        run.is_noticed(
            |event| matches!(event, TraceEvent::Appended { .. }),
            |trace, place| {
                trace.remove(place);
            },
        );
    }
}

#[test]
fn a_partition_given_to_two_members_is_noticed() {
    for protocol in [EAGER, COOPERATIVE] {
        recorded(protocol).is_noticed(
            |event| matches!(event, TraceEvent::AssignmentComputed { assigned, .. } if assigned.len() > 1),
            |trace, place| {
                let TraceEvent::AssignmentComputed { assigned, .. } = &mut trace[place].1 else { unreachable!("only such places") };
                let stolen = assigned[0].1[0];
                assigned[1].1 = [&[stolen], &*assigned[1].1].concat().into();
            },
        );
    }
    recorded(CONSUMER).is_noticed(
        |event| matches!(event, TraceEvent::TargetComputed { assigned, .. } if assigned.len() > 1),
        |trace, place| {
            let TraceEvent::TargetComputed { assigned, .. } = &mut trace[place].1 else { unreachable!("only such places") };
            let stolen = assigned[0].1[0];
            assigned[1].1 = [&[stolen], &*assigned[1].1].concat().into();
        },
    );
}

#[test]
fn a_partition_that_somebody_else_still_has_is_noticed() {
    let run = recorded(CONSUMER);
    let held = |trace: &Trace, place: usize| {
        let TraceEvent::MemberReconciled { member, .. } = trace[place].1 else { return None };
        trace[..place].iter().rev().find_map(|(_, event)| match event {
            TraceEvent::MemberReconciled { member: other, assigned, .. } if *other != member => assigned.first().copied(),
            _ => None,
        })
    };
    let places: Vec<usize> = run.places(|event| matches!(event, TraceEvent::MemberReconciled { .. }));
    let mut falsified = 0;
    for place in places {
        let Some(theirs) = held(&run.trace, place) else { continue };
        let mut trace = run.trace.clone();
        let TraceEvent::MemberReconciled { assigned, .. } = &mut trace[place].1 else { unreachable!("only such places") };
        if assigned.contains(&theirs) {
            continue;
        }
        *assigned = [&[theirs], &**assigned].concat().into();
        falsified += 1;
        assert_ne!(run.violations(&trace), 0, "nobody noticed what was done to {:?}", run.trace[place]);
    }
    assert!(falsified >= 3, "{falsified} places");
}

#[test]
fn an_epoch_that_comes_twice_or_is_ahead_of_its_target_is_noticed() {
    let run = recorded(CONSUMER);
    run.is_noticed(
        |event| matches!(event, TraceEvent::GroupEpochBumped { .. }),
        |trace, place| trace.insert(place + 1, trace[place].clone()),
    );
    run.is_noticed(
        |event| matches!(event, TraceEvent::MemberReconciled { .. }),
        |trace, place| {
            let TraceEvent::MemberReconciled { epoch, .. } = &mut trace[place].1 else { unreachable!("only such places") };
            *epoch += 1000;
        },
    );
}

#[test]
fn taking_what_the_leader_did_not_give_is_noticed() {
    let run = recorded(EAGER);
    run.is_noticed(
        |event| matches!(event, TraceEvent::Assigned { partitions, .. } if partitions.len() < 4),
        |trace, place| {
            let TraceEvent::Assigned { partitions, .. } = &mut trace[place].1 else { unreachable!("only such places") };
            let own = partitions[0];
            let other = (0..4).find(|partition| partitions.iter().all(|owned| owned.partition != *partition)).expect("not all");
            *partitions = [groupsim::units::TopicPartition { partition: other, ..own }].into();
        },
    );
}

#[test]
fn a_commit_of_somebody_who_was_removed_is_noticed() {
    for run in runs() {
        run.is_noticed(
            |event| matches!(event, TraceEvent::MemberRemoved { .. }),
            |trace, place| {
                let (at, TraceEvent::MemberRemoved { member: zombie, .. }) = trace[place] else { unreachable!("only such places") };
                let is_theirs =
                    |event: &&(Instant, TraceEvent)| matches!(&event.1, TraceEvent::Committed { member: Some(by), .. } if *by == zombie);
                let (_, commit) = trace.iter().find(is_theirs).expect("it committed in its time").clone();
                trace.insert(place + 1, (at, commit));
            },
        );
    }
}

#[test]
fn a_commit_that_was_forgotten_or_invented_is_noticed() {
    for run in runs() {
        let mut examined = 0;
        let commits: Vec<usize> = run.places(|event| matches!(event, TraceEvent::PositionSet { .. }));
        for place in commits {
            let TraceEvent::PositionSet { partition: at, offset: from, .. } = run.trace[place].1 else { unreachable!("only such places") };
            let is_it = |(_, event): &(Instant, TraceEvent)| matches!(event, TraceEvent::Committed { partition, offset, .. } if *partition == at && *offset == from);
            let mut forgotten = run.trace.clone();
            let before = forgotten[..place].iter().filter(|event| is_it(event)).count();
            if before == 0 {
                continue;
            }
            examined += 1;
            let mut seen = 0;
            forgotten.retain(|event| {
                seen += 1;
                seen > place || !is_it(event)
            });
            assert_ne!(run.violations(&forgotten), 0, "{:?} came from a commit that nobody made", run.trace[place]);
        }
        assert!(examined >= 3, "{examined} positions come from commits");
        run.is_noticed(
            |event| matches!(event, TraceEvent::Committed { .. }),
            |trace, place| {
                let TraceEvent::Committed { offset, .. } = &mut trace[place].1 else { unreachable!("only such places") };
                *offset = Offset(offset.0 + 1_000_000);
            },
        );
    }
}

#[test]
fn a_generation_that_comes_twice_is_noticed() {
    let run = recorded(EAGER);
    let is_join_end = |event: &TraceEvent| matches!(event, TraceEvent::JoinPhaseEnded { .. });
    run.is_noticed(is_join_end, |trace, place| trace.insert(place + 1, trace[place].clone()));
}

#[test]
fn an_illegal_change_of_state_is_noticed() {
    let run = recorded(EAGER);
    run.is_noticed(
        |event| matches!(event, TraceEvent::GroupStateChanged { .. }),
        |trace, place| {
            let TraceEvent::GroupStateChanged { to, .. } = &mut trace[place].1 else { unreachable!("only such places") };
            *to = if *to == GroupState::Stable { GroupState::Empty } else { GroupState::Stable };
        },
    );
}

#[test]
fn time_that_runs_backwards_is_noticed() {
    for run in runs() {
        run.is_noticed(|_| true, |trace, place| trace[place].0 += groupsim::units::Span::from_secs(3600));
    }
}

#[test]
fn records_that_change_hands_are_noticed() {
    for run in runs() {
        run.is_noticed(
            |event| matches!(event, TraceEvent::Polled { offsets, .. } if offsets.len() > 1),
            |trace, place| {
                let TraceEvent::Polled { offsets, .. } = &mut trace[place].1 else { unreachable!("only such places") };
                *offsets = OffsetRange::new(offsets.from + 1, offsets.to);
            },
        );
        run.is_noticed(
            |event| matches!(event, TraceEvent::Processed { .. }),
            |trace, place| {
                let TraceEvent::Processed { client, .. } = &mut trace[place].1 else { unreachable!("only such places") };
                client.0 = (client.0 + 1) % 3;
            },
        );
    }
}
