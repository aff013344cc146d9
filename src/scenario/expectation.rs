//! What a scenario expects of its run: the verdict and the exit code hang on it.

use crate::terms::{CommitFailure, FatalError, RemovalReason};
use crate::units::{ClientId, GroupId, Instant, TopicPartition};

/// One line of `expect:`, with where it stands in the file for the report.
#[derive(Clone, PartialEq, Debug)]
pub struct Expectation {
    pub check: Check,
    /// As written, on one line.
    pub text: String,
    pub line: Option<u32>,
}

/// Bounds of a count or a time; `exactly`, `at.least`, `at.most`.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Bounds {
    pub at_least: Option<u64>,
    pub at_most: Option<u64>,
}

/// From an instant on until another, which is not part of it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Period {
    pub from: Instant,
    pub until: Instant,
}

impl Period {
    pub const ALL: Period = Period { from: Instant::ZERO, until: Instant::NEVER };

    pub fn contains(self, at: Instant) -> bool {
        self.from <= at && (at < self.until || self.until == Instant::NEVER)
    }
}

/// Which lag is meant.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum LagKind {
    Committed,
    Position,
    Unprocessed,
}

/// When a lag is looked at.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum When {
    /// At every sample of the run phase from then on.
    After(Instant),
    At(Instant),
    /// The end of the run phase.
    End,
    /// After the settle phase.
    Settled,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Check {
    Lost {
        group: Option<GroupId>,
        bounds: Bounds,
    },
    Duplicated {
        group: Option<GroupId>,
        bounds: Bounds,
    },
    Extra {
        group: Option<GroupId>,
        bounds: Bounds,
    },
    Skipped {
        group: Option<GroupId>,
        bounds: Bounds,
    },
    Deleted {
        group: Option<GroupId>,
        bounds: Bounds,
    },
    Unsettled {
        group: Option<GroupId>,
        bounds: Bounds,
    },
    ProcessedOnce {
        group: Option<GroupId>,
        bounds: Bounds,
    },
    Produced {
        group: Option<GroupId>,
        bounds: Bounds,
    },
    Lag {
        group: Option<GroupId>,
        of: LagKind,
        when: When,
        bounds: Bounds,
    },
    /// Unprocessed records of all groups (or one) at the end of the run phase.
    Backlog {
        group: Option<GroupId>,
        bounds: Bounds,
    },
    /// Those that began in the period.
    Rebalances {
        group: Option<GroupId>,
        period: Period,
        bounds: Bounds,
    },
    /// Nanoseconds; of the outages that began in the period.
    Unavailable {
        group: Option<GroupId>,
        partition: WhichPartition,
        period: Period,
        bounds: Bounds,
    },
    /// What befell members in the period.
    Incidents {
        of: Members,
        kind: IncidentQuestion,
        period: Period,
        bounds: Bounds,
    },
    /// `None`: nobody.
    Owner {
        group: Option<GroupId>,
        partition: TopicPartition,
        client: Option<ClientId>,
        at: Instant,
    },
    Livelock {
        group: GroupId,
    },
    NoLivelock {
        group: GroupId,
    },
}

/// Whose incidents are counted; `None` is everybody's.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Members {
    pub group: Option<GroupId>,
    pub client: Option<ClientId>,
}

/// Which incidents are counted; `None` is any of the kind.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum IncidentQuestion {
    Removed(Option<Removal>),
    CommitFailed(Option<CommitFailure>),
    Failed(Option<FatalError>),
}

/// What the coordinator removed somebody for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Removal {
    Member(RemovalReason),
    /// Nobody came back with the id that MEMBER_ID_REQUIRED had given out.
    Pending,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum WhichPartition {
    Longest,
    Named(TopicPartition),
}
