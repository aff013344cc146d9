//! What befell members, with its time: who was removed from a group and why, whose commit failed, which process an exception ended.
//!
//! A fold over the trace that keeps these few facts and concludes nothing from them.

use crate::fold::{Fold, Known};
use crate::terms::{CommitFailure, FatalError, RemovalReason};
use crate::trace::TraceEvent;
use crate::units::{ClientId, Instant};

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Incident {
    pub at: Instant,
    pub client: ClientId,
    pub kind: IncidentKind,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum IncidentKind {
    /// The coordinator removed it.
    Removed(RemovalReason),
    /// The coordinator dropped the id with which it should have joined a second time.
    PendingDropped,
    /// As its application sees it.
    CommitFailed(CommitFailure),
    /// The process ended with this exception.
    Failed(FatalError),
}

/// The fold, and what it keeps: in the order of the trace.
#[derive(Clone, Default, Debug)]
pub struct Incidents(pub Vec<Incident>);

impl Fold for Incidents {
    fn told(&mut self, at: Instant, event: &TraceEvent, _known: &Known) {
        let (client, kind) = if let TraceEvent::MemberRemoved { member, reason, .. } = event {
            (member.client, IncidentKind::Removed(*reason))
        } else if let TraceEvent::PendingDropped { member, .. } = event {
            (member.client, IncidentKind::PendingDropped)
        } else if let TraceEvent::CommitFailed { client, failure, .. } = event {
            (*client, IncidentKind::CommitFailed(*failure))
        } else if let TraceEvent::ClientFailed { client, error } = event {
            (*client, IncidentKind::Failed(*error))
        } else {
            return;
        };
        self.0.push(Incident { at, client, kind });
    }
}
