//! The times and numbers that the classic protocol makes one expect, as formulas of its settings, each held against runs with several values.
//!
//! All of it with an ideal client: it knows its coordinator, validates no positions, and waits behind no Fetch of its own.

mod accounts;
mod joins;
mod polls;
mod removals;
#[path = "../story/lines.rs"]
mod story;

use story::Story;

/// Nanoseconds.
const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;

/// The settings that the formulas speak of, in nanoseconds.
#[derive(Copy, Clone, Debug)]
struct Setting {
    brokers: u32,
    /// One way.
    latency: u64,
    /// From the append to `__consumer_offsets` to its commit.
    write: u64,
    /// group.initial.rebalance.delay.ms
    initial_delay: u64,
    /// heartbeat.interval.ms
    heartbeat: u64,
    /// session.timeout.ms
    session: u64,
    /// max.poll.interval.ms
    max_poll: u64,
}

const KAFKAS: Setting =
    Setting { brokers: 1, latency: MS, write: 0, initial_delay: 3 * S, heartbeat: 3 * S, session: 45 * S, max_poll: 300 * S };

/// Kafka's defaults, and settings in which no two lengths of time are alike.
const SETTINGS: [Setting; 4] = [
    KAFKAS,
    Setting { write: 5 * MS, ..KAFKAS },
    Setting { latency: 7 * MS, write: 12 * MS, initial_delay: 1100 * MS, heartbeat: 900 * MS, session: 6500 * MS, ..KAFKAS },
    Setting { latency: MS / 4, write: MS / 2, initial_delay: 0, heartbeat: 2 * S, session: 10 * S, max_poll: 20 * S, ..KAFKAS },
];

impl Setting {
    /// A scenario of one group `g` that reads topic `t`; `group` has the members and what the application does.
    fn scenario(&self, duration: u64, partitions: u32, group: &str, rest: &str) -> String {
        let Setting { brokers, latency, write, initial_delay, heartbeat, session, max_poll } = self;
        format!(
            "duration: {duration}ns
cluster:
  brokers: {brokers}
  latency: {latency}ns
  write.latency: {write}ns
  config: {{group.initial.rebalance.delay.ms: {}}}
topics: {{t: {partitions}}}
groups:
  g:
    topics: [t]
    config:
      auto.offset.reset: earliest
      partition.assignment.strategy: [range]
      heartbeat.interval.ms: {}
      session.timeout.ms: {}
      max.poll.interval.ms: {}
    {}
{rest}",
            initial_delay / MS,
            heartbeat / MS,
            session / MS,
            max_poll / MS,
            group.trim().replace('\n', "\n    "),
        )
    }

    /// The first member starts at 0 and asks twice: its second JoinGroup is accepted here.
    fn first_join(&self) -> u64 {
        3 * self.latency
    }

    /// The end of the initial join phase if nobody else comes.
    fn first_generation(&self) -> u64 {
        self.first_join() + self.initial_delay
    }

    /// When the broker sees the heartbeats of a member whose JoinGroup was answered at `sent`: the answer travels, then they come at the
    /// interval.
    fn heartbeat_arrivals(&self, sent: u64) -> impl Iterator<Item = u64> {
        let Setting { latency, heartbeat, .. } = *self;
        (1..).map(move |k| sent + 2 * latency + k * heartbeat)
    }

    /// When a member hears of a rebalance that begins at `from`: with the answer to its next heartbeat.
    fn notice(&self, join_answered: u64, from: u64) -> u64 {
        self.heartbeat_arrivals(join_answered).find(|at| *at >= from).expect("heartbeats go on") + self.latency
    }

    /// A commit in onJoinPrepare.
    fn commit(&self) -> u64 {
        2 * self.latency + self.write
    }
}

impl Story {
    /// When there was exactly one such line.
    #[track_caller]
    fn time(&self, actor: &str, what: &str) -> u64 {
        let times = self.times(actor, what);
        assert_eq!(times.len(), 1, "`{actor} {what}…` at {times:?}");
        times[0]
    }

    /// The first such line from a time on.
    #[track_caller]
    fn next(&self, from: u64, actor: &str, what: &str) -> u64 {
        let mut times = self.times(actor, what).into_iter();
        times.find(|at| *at >= from).unwrap_or_else(|| panic!("no `{actor} {what}…` from {from} on"))
    }
}
