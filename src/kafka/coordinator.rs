//! The group coordinator of one shard: one partition of `__consumer_offsets` and the groups that live in it.
//!
//! A pure state machine: requests and timers in, answers, wake-ups and facts out. Origin: GroupCoordinatorService, GroupCoordinatorShard and
//! CoordinatorRuntime (KIP-848's rewrite); for 2.8 and 3.9 what differs in the old GroupCoordinator (see [`crate::kafka::release`]).
//!
//! Not modelled: authorisation and topic existence (KafkaApis); writes that fail. OffsetFetch without requireStable reads the latest offsets, not
//! the replicated ones: it sees a commit up to one write latency early; no client of the simulator asks so. In 2.8 and 3.9 a commit shows only
//! when it is replicated, and until then OffsetFetch with requireStable finds the partition unstable; here it shows at once.

use std::collections::BTreeMap;

use crate::kafka::coordinator::shard::{CoordinatorConfig, CoordinatorEffects, GroupConfig, MemberIds, Shard, Ticket, Turn};
use crate::kafka::coordinator::timers::{CoordinatorTimer, Timers};
use crate::kafka::coordinator::writes::{Deferred, Writes};
use crate::kafka::group::Group;
use crate::kafka::group::classic::ClassicGroup;
use crate::kafka::group::consumer::topics::Topics;
use crate::kafka::message::{GroupRequest, GroupResponse, Heartbeat};
use crate::kafka::offsets::Offsets;
use crate::terms::{ErrorCode, GroupProperty};
use crate::trace::TraceEvent;
use crate::units::{ClientId, GroupId, Instant, MemberId, Span};

pub mod classic_requests;
pub mod consumer_groups;
pub mod expiry;
pub mod moving;
pub mod offset_requests;
pub mod shard;
pub mod timers;
pub mod writes;

#[derive(Clone, Debug)]
pub struct Coordinator {
    status: Status,
    groups: BTreeMap<GroupId, Group>,
    offsets: Offsets,
    shard: Shard,
}

/// Whether this broker may answer for the shard.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Status {
    Active,
    /// Reading the log.
    Loading,
    /// Another broker leads the partition.
    Moved,
}

impl Coordinator {
    /// A coordinator that has loaded an empty shard at time zero.
    pub fn new(config: CoordinatorConfig) -> Self {
        let shard = Shard {
            config,
            group_configs: BTreeMap::new(),
            timers: Timers::default(),
            writes: Writes::default(),
            member_ids: MemberIds::default(),
            stored: BTreeMap::new(),
            stored_consumers: BTreeMap::new(),
            topics: Topics::default(),
        };
        let mut coordinator = Coordinator { status: Status::Active, groups: BTreeMap::new(), offsets: Offsets::default(), shard };
        coordinator.schedule_expiry(Instant::ZERO);
        coordinator
    }

    pub fn group(&self, group: GroupId) -> Option<&Group> {
        self.groups.get(&group)
    }

    /// The group has settings of its own from its next request on.
    pub fn configure_group(&mut self, group: GroupId, config: GroupConfig) {
        self.shard.group_configs.insert(group, config);
    }

    /// One of the group's own settings changes: its next request finds it so.
    pub fn alter_group(&mut self, group: GroupId, property: GroupProperty, value: Span) {
        let config = self.shard.group_configs.entry(group).or_default();
        let slot = match property {
            GroupProperty::SessionTimeout => &mut config.session_timeout,
            GroupProperty::HeartbeatInterval => &mut config.heartbeat_interval,
            GroupProperty::AssignmentInterval => &mut config.assignment_interval,
        };
        *slot = Some(value);
    }

    /// An id for a member of the client that makes its id itself (KIP-1082). Kafka's are random; these are numbered together with those that
    /// the coordinator makes, so that no two are the same.
    pub fn reserve_member_id(&mut self, client: ClientId) -> MemberId {
        self.shard.member_ids.next(client).0
    }

    pub fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    pub fn timers(&self) -> &Timers {
        &self.shard.timers
    }

    pub fn on_request(&mut self, now: Instant, ticket: Ticket, group: GroupId, request: GroupRequest, fx: &mut CoordinatorEffects) {
        match self.status {
            Status::Active => self.handle(now, ticket, group, request, fx),
            Status::Loading => match request {
                // Blindly: the member shall not give up while its group is read.
                GroupRequest::Heartbeat(Heartbeat { member, .. }) => {
                    fx.emit(TraceEvent::HeartbeatHandled { group, member, error: ErrorCode::None });
                    self.turn(now, fx).answer(ticket, GroupResponse::Heartbeat(ErrorCode::None));
                }
                other => self.turn(now, fx).answer(ticket, other.refusal(ErrorCode::CoordinatorLoadInProgress)),
            },
            Status::Moved => self.turn(now, fx).answer(ticket, request.refusal(ErrorCode::NotCoordinator)),
        }
        self.settle(now, fx);
    }

    /// A wake-up is a hint: whatever is due fires, in the order of the deadlines and then of arming.
    pub fn on_timer(&mut self, now: Instant, _timer: CoordinatorTimer, fx: &mut CoordinatorEffects) {
        self.shard.timers.woken(now);
        while self.fire_next(now, fx).is_some() {}
        self.settle(now, fx);
    }

    /// Fires the next timer if it is due.
    pub fn fire_next(&mut self, now: Instant, fx: &mut CoordinatorEffects) -> Option<CoordinatorTimer> {
        let (_, _, timer) = self.shard.timers.next().filter(|(at, _, _)| *at <= now)?;
        self.fire(now, timer, fx);
        Some(timer)
    }

    /// Fires a timer, whether it is due or not.
    pub fn fire(&mut self, now: Instant, timer: CoordinatorTimer, fx: &mut CoordinatorEffects) {
        self.shard.timers.cancel(timer);
        match timer {
            CoordinatorTimer::Join(group) => self.with_group(now, group, fx, |group, turn| group.join_timed_out(turn)),
            CoordinatorTimer::Sync(group) => self.with_group(now, group, fx, |group, turn| group.sync_timed_out(turn)),
            CoordinatorTimer::Heartbeat(group, member) => {
                self.with_group(now, group, fx, |group, turn| group.session_expired(member, turn));
            }
            CoordinatorTimer::Session(..)
            | CoordinatorTimer::Revocation(..)
            | CoordinatorTimer::MemberJoin(..)
            | CoordinatorTimer::MemberSync(..) => self.fire_of_member(now, timer, fx),
            CoordinatorTimer::ExpireOffsets => self.expire_offsets(now, fx),
            CoordinatorTimer::WriteCommitted => {}
        }
        self.settle(now, fx);
    }

    fn handle(&mut self, now: Instant, ticket: Ticket, id: GroupId, request: GroupRequest, fx: &mut CoordinatorEffects) {
        match request {
            GroupRequest::Join(join) => self.join(now, ticket, id, join, fx),
            GroupRequest::Leave(leave) => self.leave(now, ticket, id, leave, fx),
            GroupRequest::Sync(sync) => self.sync(now, ticket, id, sync, fx),
            GroupRequest::Heartbeat(heartbeat) => self.heartbeat(now, ticket, id, heartbeat, fx),
            GroupRequest::ConsumerHeartbeat(heartbeat) => self.consumer_heartbeat(now, ticket, id, &heartbeat, fx),
            GroupRequest::OffsetCommit(commit) => self.commit(now, ticket, id, commit, fx),
            GroupRequest::TxnOffsetCommit(commit) => self.commit_in_transaction(now, ticket, id, commit, fx),
            GroupRequest::OffsetFetch(fetch) => self.fetch(now, ticket, id, fetch, fx),
            GroupRequest::OffsetDelete { partitions } => self.delete_offsets(now, ticket, id, partitions, fx),
            GroupRequest::DeleteGroup => self.delete_group(now, ticket, id, fx),
        }
    }

    fn turn<'a>(&'a mut self, now: Instant, fx: &'a mut CoordinatorEffects) -> Turn<'a> {
        Turn { now, shard: &mut self.shard, fx }
    }

    /// Does something with a classic group, if there is one of this id.
    fn with_group(
        &mut self,
        now: Instant,
        group: GroupId,
        fx: &mut CoordinatorEffects,
        event: impl FnOnce(&mut ClassicGroup, &mut Turn<'_>),
    ) {
        if let Some(Group::Classic(group)) = self.groups.get_mut(&group) {
            event(group, &mut Turn { now, shard: &mut self.shard, fx });
        }
    }

    /// Finishes the writes that are replicated, and asks for the next wake-up.
    fn settle(&mut self, now: Instant, fx: &mut CoordinatorEffects) {
        while let Some(waiting) = self.shard.writes.take_replicated(now) {
            for deferred in waiting {
                self.finish(now, deferred, fx);
            }
        }
        match self.shard.writes.next() {
            Some(at) if self.shard.timers.deadline(CoordinatorTimer::WriteCommitted) == Some(at) => {}
            Some(at) => self.shard.timers.arm(CoordinatorTimer::WriteCommitted, at),
            None => self.shard.timers.cancel(CoordinatorTimer::WriteCommitted),
        }
        if let Some((at, timer)) = self.shard.timers.wake_up_needed() {
            fx.wake(at, timer);
        }
    }

    fn finish(&mut self, now: Instant, deferred: Deferred, fx: &mut CoordinatorEffects) {
        match deferred {
            Deferred::Answer(answer) => fx.send(answer),
            Deferred::AssignmentStored { group, generation, assignments } => {
                self.with_group(now, group, fx, |group, turn| group.assignment_stored(generation, assignments, turn));
            }
            Deferred::StaticMemberStored { group, member, leader, version } => {
                self.with_group(now, group, fx, |group, turn| group.static_member_stored(member, leader, version, turn));
            }
            Deferred::Nothing => {}
        }
    }
}
