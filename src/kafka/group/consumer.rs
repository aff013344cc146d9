//! A KIP-848 group: its members, its epochs and its target.
//!
//! No barrier and no leader: the coordinator computes a target for everybody and leads each member there by the answers to its heartbeats.
//! Members of the classic protocol may take part ([`classic_member`]). Origin: ConsumerGroup, ConsumerGroupMember, ModernGroup.
//!
//! Not modelled: racks. A target never prefers a near replica; Kafka's own assignors do not either.
//!
//! Members stand in the order of their ids; Kafka iterates a HashMap of random ids instead, so what hangs on that order (the extra partition of
//! `uniform`, ties between assignors) is arbitrary there and fixed here. All of a group is in its records, so a group is what a coordinator
//! finds in the log.

use std::collections::{BTreeMap, BTreeSet};

use crate::kafka::assignor::server::ServerAssignor;
use crate::kafka::coordinator::shard::Turn;
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::group::consumer::reconcile::Holding;
use crate::kafka::group::consumer::topics::TopicView;
use crate::kafka::message::ProtocolEntry;
use crate::terms::{ConsumerGroupState, ErrorCode, MemberState, Name, RemovalReason};
use crate::trace::TraceEvent;
use crate::units::{GroupId, InstanceId, Instant, MemberId, PatternId, Span, TopicId, TopicPartition};

pub mod admission;
pub mod classic_member;
pub mod heartbeat;
pub mod migration;
pub mod offsets;
pub mod patterns;
pub mod preference;
pub mod reconcile;
pub mod removal;
pub mod target;
pub mod topics;

/// The epoch in a heartbeat that joins.
pub const JOIN_EPOCH: i32 = 0;
/// The epoch in a heartbeat that leaves for good.
pub const LEAVE_EPOCH: i32 = -1;
/// The epoch in a heartbeat of a static member that will be back, and of that member until it is.
pub const LEAVE_FOR_NOW_EPOCH: i32 = -2;

#[derive(Clone, Debug)]
pub struct ConsumerGroup {
    pub id: GroupId,
    epoch: i32,
    target: Target,
    members: BTreeMap<MemberId, Member>,
    static_members: BTreeMap<InstanceId, MemberId>,
    /// What the subscribed topics looked like when the epoch was bumped last.
    topics: TopicView,
    /// The next heartbeat looks at the topics again.
    refresh_due: bool,
    /// Who has a partition, or has still to give it up.
    owners: BTreeMap<TopicPartition, MemberId>,
    patterns: patterns::Resolved,
}

/// What the members shall have in the end.
#[derive(Clone, Debug)]
pub struct Target {
    /// The group epoch that it was computed for.
    pub epoch: i32,
    /// `None`: never, so that nothing delays the first computation.
    pub computed_at: Option<Instant>,
    pub assignments: BTreeMap<MemberId, BTreeSet<TopicPartition>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    pub id: MemberId,
    pub instance: Option<InstanceId>,
    /// What it reads: the topics that it names, or those that its pattern matched when it was resolved.
    pub topics: BTreeSet<TopicId>,
    /// Subscribed by regular expression.
    pub pattern: Option<PatternId>,
    pub assignor: Option<ServerAssignor>,
    pub rebalance_timeout: Span,
    pub holding: Holding,
    /// Of a member that speaks the classic protocol.
    pub classic: Option<ClassicSide>,
    /// The epoch at which its revocation began to be timed.
    revoking_since_epoch: Option<i32>,
}

/// What only a classic member has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClassicSide {
    pub session_timeout: Span,
    pub protocols: Vec<ProtocolEntry>,
}

impl Member {
    fn new(id: MemberId) -> Self {
        Member {
            id,
            instance: None,
            topics: BTreeSet::new(),
            pattern: None,
            assignor: None,
            rebalance_timeout: Span::ZERO,
            holding: Holding::none(),
            classic: None,
            revoking_since_epoch: None,
        }
    }

    pub fn is_away(&self) -> bool {
        self.holding.epoch == LEAVE_FOR_NOW_EPOCH
    }
}

impl ConsumerGroup {
    pub fn new(id: GroupId, starts_at_epoch_one: bool) -> Self {
        let epoch = i32::from(starts_at_epoch_one);
        ConsumerGroup {
            id,
            epoch,
            target: Target { epoch, computed_at: None, assignments: BTreeMap::new() },
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            topics: TopicView::default(),
            refresh_due: true,
            owners: BTreeMap::new(),
            patterns: patterns::Resolved::default(),
        }
    }

    pub fn epoch(&self) -> i32 {
        self.epoch
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// In the order of their ids.
    pub fn members(&self) -> impl ExactSizeIterator<Item = &Member> {
        self.members.values()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub fn state(&self) -> ConsumerGroupState {
        if self.members.is_empty() {
            ConsumerGroupState::Empty
        } else if self.epoch > self.target.epoch {
            ConsumerGroupState::Assigning
        } else if self.members.values().any(|member| !member.holding.is_reconciled_to(self.target.epoch)) {
            ConsumerGroupState::Reconciling
        } else {
            ConsumerGroupState::Stable
        }
    }

    pub fn is_subscribed_to(&self, topic: TopicId) -> bool {
        self.members.values().any(|member| member.topics.contains(&topic))
    }

    pub(super) fn member(&self, id: MemberId) -> Result<&Member, ErrorCode> {
        self.members.get(&id).ok_or(ErrorCode::UnknownMemberId)
    }

    /// Puts a member in place of its former self; everything that is derived from members follows.
    fn put(&mut self, member: Member) {
        self.take(member.id);
        for partition in member.holding.partitions() {
            self.owners.insert(partition, member.id);
        }
        if let Some(instance) = member.instance {
            self.static_members.insert(instance, member.id);
        }
        self.members.insert(member.id, member);
    }

    fn take(&mut self, id: MemberId) -> Option<Member> {
        let member = self.members.remove(&id)?;
        for partition in member.holding.partitions() {
            if self.owners.get(&partition) == Some(&id) {
                self.owners.remove(&partition);
            }
        }
        if let Some(instance) = member.instance
            && self.static_members.get(&instance) == Some(&id)
        {
            self.static_members.remove(&instance);
        }
        Some(member)
    }

    /// A member is gone for good; its partitions are free at once.
    fn forget(&mut self, id: MemberId, reason: RemovalReason, turn: &mut Turn<'_>) {
        if self.take(id).is_some() {
            self.target.assignments.remove(&id);
            self.forget_unused_patterns();
            turn.emit(TraceEvent::MemberRemoved { group: self.id, member: id, reason });
        }
        for timer in [CoordinatorTimer::Session, CoordinatorTimer::Revocation, CoordinatorTimer::MemberJoin, CoordinatorTimer::MemberSync] {
            turn.cancel(timer(self.id, id));
        }
    }

    fn watch_session(&self, id: MemberId, turn: &mut Turn<'_>) {
        let Some(member) = self.members.get(&id) else { return };
        let timeout = member.classic.as_ref().map_or(turn.group_config(self.id).session_timeout, |classic| classic.session_timeout);
        turn.arm(CoordinatorTimer::Session(self.id, id), timeout);
    }

    /// A coordinator found the group in the log: every session and every revocation is timed in full.
    pub fn loaded(&mut self, turn: &mut Turn<'_>) {
        self.refresh_due = true;
        let ids: Vec<MemberId> = self.members.keys().copied().collect();
        for id in ids {
            self.watch_session(id, turn);
            self.time_revocation(id, turn);
        }
    }

    /// The rebalance timer runs while a member of the KIP-848 protocol has partitions to give up.
    fn time_revocation(&mut self, id: MemberId, turn: &mut Turn<'_>) {
        let Some(member) = self.members.get_mut(&id).filter(|member| member.classic.is_none()) else { return };
        let timer = CoordinatorTimer::Revocation(self.id, id);
        if member.holding.state == MemberState::UnrevokedPartitions {
            member.revoking_since_epoch = Some(member.holding.epoch);
            turn.arm(timer, member.rebalance_timeout);
        } else {
            turn.cancel(timer);
        }
    }

    /// The names of the protocols that every classic member supports.
    fn supports_classic(&self, protocol_type: &str, protocols: &[ProtocolEntry]) -> bool {
        let classic: Vec<&ClassicSide> = self.members.values().filter_map(|member| member.classic.as_ref()).collect();
        let has = |side: &ClassicSide, name: &Name| side.protocols.iter().any(|entry| entry.name == *name);
        protocol_type == "consumer" && protocols.iter().any(|entry| classic.iter().all(|side| has(side, &entry.name)))
    }
}
