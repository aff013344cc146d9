//! The words that summary.json has for Kafka's and the ledger's terms.

use crate::ledger::{DuplicateCause, LossCause};
use crate::metrics::WaitEnd;
use crate::terms::{GroupState, RebalanceReason, RemovalReason};
use crate::trace::ending::Ending;
use crate::units::Instant;

pub fn ending(ending: &Ending) -> &'static str {
    match ending {
        Ending::Finished => "finished",
        Ending::Drained => "drained",
        Ending::SettleBound => "settle-bound",
        Ending::Stuck { .. } => "stuck",
    }
}

pub fn rebalance(reason: RebalanceReason) -> &'static str {
    match reason {
        RebalanceReason::MemberJoined => "member-joined",
        RebalanceReason::StaticMemberReplaced => "static-member-replaced",
        RebalanceReason::LeaderRejoined => "leader-rejoined",
        RebalanceReason::MemberRejoined => "member-rejoined",
        RebalanceReason::MemberLeft => "member-left",
        RebalanceReason::SessionExpired => "session-expired",
        RebalanceReason::SyncTimedOut => "sync-timed-out",
        RebalanceReason::AssignmentNotStored => "assignment-not-stored",
        RebalanceReason::GroupTooLarge => "group-too-large",
    }
}

pub fn removal(reason: RemovalReason) -> &'static str {
    match reason {
        RemovalReason::Left => "left",
        RemovalReason::SessionExpired => "session-expired",
        RemovalReason::NewMemberTimedOut => "new-member-timed-out",
        RemovalReason::JoinTimedOut => "join-timed-out",
        RemovalReason::SyncTimedOut => "sync-timed-out",
        RemovalReason::GroupFull => "group-full",
    }
}

pub fn wait_end(end: WaitEnd) -> &'static str {
    match end {
        WaitEnd::Rejoined => "rejoined",
        WaitEnd::Removed(reason) => removal(reason),
    }
}

/// Kafka's own spelling.
pub fn state(state: GroupState) -> &'static str {
    match state {
        GroupState::Empty => "Empty",
        GroupState::PreparingRebalance => "PreparingRebalance",
        GroupState::CompletingRebalance => "CompletingRebalance",
        GroupState::Stable => "Stable",
        GroupState::Dead => "Dead",
    }
}

pub fn duplicate(cause: DuplicateCause) -> (&'static str, Instant) {
    match cause {
        DuplicateCause::Crashed(at) => ("crashed", at),
        DuplicateCause::PollIntervalExceeded(at) => ("poll-interval-exceeded", at),
        DuplicateCause::Removed(reason, at) => (removal(reason), at),
        DuplicateCause::Revoked(at) => ("revoked", at),
        DuplicateCause::Stopped(at) => ("stopped", at),
        DuplicateCause::Rewound(at) => ("rewound", at),
    }
}

pub fn loss(cause: LossCause) -> (&'static str, Option<Instant>) {
    match cause {
        LossCause::CommittedThenCrashed(at) => ("committed-then-crashed", Some(at)),
        LossCause::CommittedThenGivenUp(at) => ("committed-then-given-up", Some(at)),
        LossCause::CommittedUnread => ("committed-unread", None),
    }
}
