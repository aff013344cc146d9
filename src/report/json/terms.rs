//! The words that summary.json has for the ledger's terms and for the end of a run.

use crate::ledger::{DuplicateCause, LossCause};
use crate::metrics::WaitEnd;
use crate::trace::ending::Ending;
use crate::units::Instant;

pub fn ending(ending: &Ending) -> &'static str {
    match ending {
        Ending::Finished => "finished",
        Ending::Drained => "drained",
        Ending::SettleBound => "settle_bound",
        Ending::Stuck { .. } => "stuck",
    }
}

pub fn wait_end(end: WaitEnd) -> &'static str {
    match end {
        WaitEnd::Rejoined => "rejoined",
        WaitEnd::Reconciled => "reconciled",
        WaitEnd::Removed(reason) => reason.name(),
    }
}

/// The cause, and when it came.
pub fn duplicate(cause: DuplicateCause) -> (&'static str, Instant) {
    match cause {
        DuplicateCause::Crashed(at) => ("crashed", at),
        DuplicateCause::PollIntervalExceeded(at) => ("poll_interval_exceeded", at),
        DuplicateCause::Removed(reason, at) => (reason.name(), at),
        DuplicateCause::Revoked(at) => ("revoked", at),
        DuplicateCause::Replaced(at) => ("replaced", at),
        DuplicateCause::Stopped(at) => ("stopped", at),
        DuplicateCause::CommitWentBack(at) => ("commit_went_back", at),
        DuplicateCause::Rewound(at) => ("rewound", at),
    }
}

/// The cause, and when it came if it is known.
pub fn loss(cause: LossCause) -> (&'static str, Option<Instant>) {
    match cause {
        LossCause::CommittedThenCrashed(at) => ("committed_then_crashed", Some(at)),
        LossCause::CommittedThenGivenUp(at) => ("committed_then_given_up", Some(at)),
        LossCause::CommittedUnread => ("committed_unread", None),
    }
}
