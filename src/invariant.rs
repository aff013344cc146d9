//! What must never be seen in a trace, whatever the scenario: a fold that looks for it.
//!
//! These are promises of the protocol (one owner in a generation, only members commit, states change along the table) and of the trace
//! itself (time runs forward, records are polled in order). The ledger's conservation of records is asserted there.

use crate::fold::{Append, Fold, Known, Poll, Work};
use crate::slots::Slots;
use crate::trace::{Cast, TraceEvent};
use crate::units::{ClientId, GroupId, Instant};

mod epochs;
mod groups;
mod positions;
mod reading;

use groups::GroupRules;
use reading::ReadingRules;

/// Of so many violations the text is kept; of all of them the number.
pub const VIOLATIONS_KEPT: usize = 100;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    pub at: Instant,
    pub what: String,
}

#[derive(Clone, Default, Debug)]
struct Findings {
    now: Instant,
    kept: Vec<Violation>,
    count: u64,
}

/// The fold.
#[derive(Clone, Debug)]
pub struct Invariants {
    findings: Findings,
    reading: ReadingRules,
    groups: Vec<GroupRules>,
    /// Groups about which something was told at this moment; they must be in order when it is over.
    touched: Vec<GroupId>,
}

impl Findings {
    /// Of facts that are many, [`Findings::found`] is told behind an `if`: then nothing is laid ready for a text that is never made.
    #[inline]
    fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.found(what);
        }
    }

    #[cold]
    fn found(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.kept.len() < VIOLATIONS_KEPT {
            self.kept.push(Violation { at: self.now, what: what() });
        }
    }
}

impl Invariants {
    pub fn new(cast: &Cast) -> Self {
        let slots = Slots::new(cast);
        Invariants {
            findings: Findings::default(),
            groups: slots.groups().map(GroupRules::new).collect(),
            touched: Vec::new(),
            reading: ReadingRules::new(&slots),
        }
    }

    /// The first [`VIOLATIONS_KEPT`] violations.
    pub fn violations(&self) -> &[Violation] {
        &self.findings.kept
    }

    /// How many violations there were.
    pub fn count(&self) -> u64 {
        self.findings.count
    }

    /// How often somebody was assigned a partition that a zombie, who does not know yet that it is out, still had. That is allowed.
    pub fn zombie_overlaps(&self) -> u64 {
        self.reading.zombie_overlaps
    }

    #[inline]
    fn pass_time(&mut self, at: Instant) {
        let before = self.findings.now;
        if at < before {
            self.findings.found(move || format!("time ran backwards, from {before} to {at}"));
        }
        if at > before {
            if !self.touched.is_empty() {
                self.check_touched();
            }
            self.findings.now = at;
        }
    }

    fn check_touched(&mut self) {
        for group in self.touched.drain(..) {
            self.groups[group.index()].check_settled(&mut self.findings);
        }
    }

    fn touch(&mut self, group: GroupId, event: &TraceEvent) {
        if !self.touched.contains(&group) {
            self.touched.push(group);
        }
        self.groups[group.index()].record(event, &mut self.findings);
    }

    fn deleted(&mut self, known: &Known, group: GroupId, event: &TraceEvent) {
        self.reading.deleted(known, group);
        self.touch(group, event);
    }

    fn started(&mut self, known: &Known, client: ClientId) {
        self.reading.started(known, client);
        self.groups[known.slots.group_of(client).index()].started(client);
    }
}

impl Fold for Invariants {
    #[inline(always)]
    fn appended(&mut self, at: Instant, append: &Append<'_>) {
        self.pass_time(at);
        self.reading.appended(append, &mut self.findings);
    }

    #[inline(always)]
    fn polled(&mut self, at: Instant, poll: Poll<'_>, known: &Known) {
        self.pass_time(at);
        self.reading.polled(known, poll, &mut self.findings);
    }

    #[inline(always)]
    fn processed(&mut self, at: Instant, work: Work<'_>) {
        self.pass_time(at);
        self.reading.processed(work, &mut self.findings);
    }

    fn told(&mut self, at: Instant, event: &TraceEvent, known: &Known) {
        self.pass_time(at);
        let Invariants { findings, reading, groups, .. } = self;
        let group_of = |client: ClientId| known.slots.group_of(client).index();
        match event {
            TraceEvent::Appended { .. } | TraceEvent::Polled { .. } | TraceEvent::Processed { .. } => {}
            TraceEvent::Dropped { client, partition, offsets } => reading.dropped(known, *client, *partition, *offsets, findings),
            TraceEvent::PositionSet { client, .. } => reading.position_set(known, &groups[group_of(*client)], event, findings),
            TraceEvent::FetchStarted { client, partition, .. } => reading.fetch_started(known, *client, *partition, findings),
            TraceEvent::Assigned { client, member, generation, partitions } => {
                let group = &groups[group_of(*client)];
                reading.assigned(known, group, (*member, *generation), partitions, findings);
            }
            TraceEvent::AssignmentComputed { client, generation, assigned } => {
                let group = &mut groups[group_of(*client)];
                group.computed((*client, *generation), assigned, findings);
                reading.computed(known, group, (*client, *generation), assigned, findings);
            }
            TraceEvent::Committed { group, member, partition, offset, .. } => {
                groups[group.index()].committed(*member, findings);
                reading.committed(known, (*group, *member), *partition, *offset, findings);
            }
            TraceEvent::SettlePhaseEnded { .. } => {
                reading.ended(findings);
                self.check_touched();
            }
            TraceEvent::GroupStateChanged { group, .. }
            | TraceEvent::MemberPending { group, .. }
            | TraceEvent::PendingDropped { group, .. }
            | TraceEvent::MemberAdded { group, .. }
            | TraceEvent::MemberReplaced { group, .. }
            | TraceEvent::MemberRemoved { group, .. }
            | TraceEvent::RebalanceStarted { group, .. }
            | TraceEvent::InitialDelayExtended { group, .. }
            | TraceEvent::GroupProtocolChanged { group, .. }
            | TraceEvent::GroupEpochBumped { group, .. }
            | TraceEvent::TargetComputed { group, .. }
            | TraceEvent::MemberReconciled { group, .. }
            | TraceEvent::MemberRejoined { group, .. }
            | TraceEvent::JoinPhaseEnded { group, .. }
            | TraceEvent::HeartbeatHandled { group, .. }
            | TraceEvent::RequestRefused { group, .. }
            | TraceEvent::CommitRefused { group, .. } => self.touch(*group, event),
            TraceEvent::OffsetExpired { group, partition } => reading.expired(known, *group, *partition),
            TraceEvent::GroupDeleted { group } => self.deleted(known, *group, event),
            TraceEvent::ClientStarted { client, .. } => self.started(known, *client),
            TraceEvent::JoinSent { client, .. } => groups[group_of(*client)].joins(*client),
            TraceEvent::CoordinatorFound { client, .. } => groups[group_of(*client)].coordinator_found(*client),
            TraceEvent::MembershipLost { client, .. } | TraceEvent::PollIntervalExceeded { client, .. } => reading.membership_lost(*client),
            TraceEvent::RevocationPending { .. } | TraceEvent::Lost { .. } | TraceEvent::Revoked { .. } => reading.give_up(known, event),
            TraceEvent::ProducerStopped { .. }
            | TraceEvent::RateChanged { .. }
            | TraceEvent::PartitionsAdded { .. }
            | TraceEvent::ClientStopping { .. }
            | TraceEvent::ClientStopped { .. }
            | TraceEvent::ClientCrashed { .. }
            | TraceEvent::ClientPaused { .. }
            | TraceEvent::ClientResumed { .. }
            | TraceEvent::ClientSlowed { .. }
            | TraceEvent::ClientSpeedRestored { .. }
            | TraceEvent::ClientFailed { .. }
            | TraceEvent::Fault(_)
            | TraceEvent::Topics(_)
            | TraceEvent::RebalanceNoticed { .. }
            | TraceEvent::CommitFailed { .. }
            | TraceEvent::RunPhaseEnded => {}
        }
    }
}

#[cfg(test)]
mod tests;
