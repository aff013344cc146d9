//! Commits, fetches and deletions of offsets, and the deletion of groups by request.
//!
//! Origin: OffsetMetadataManager, ClassicGroup#validateOffsetCommit, #validateOffsetDelete, #validateDeleteGroup. A commit is fenced by member id and
//! generation only: whether the partition is the committer's is not asked.

use std::collections::BTreeSet;

use crate::kafka::coordinator::Coordinator;
use crate::kafka::coordinator::shard::{Answer, CoordinatorEffects, Ticket};
use crate::kafka::coordinator::writes::Deferred;
use crate::kafka::group::Group;
use crate::kafka::group::classic::ClassicGroup;
use crate::kafka::group::consumer::offsets::Committer;
use crate::kafka::message::{FetchedOffset, GroupResponse, OffsetCommit, OffsetFetch, OffsetFetchAnswer, TxnOffsetCommit};
use crate::terms::{ErrorCode, GroupState};
use crate::trace::TraceEvent;
use crate::units::{GroupId, InstanceId, Instant, MemberId, Offset, TopicPartition};

/// From this version on a commit with a generation for a missing group is told so.
const GROUP_ID_NOT_FOUND_VERSION: u16 = 9;

/// A commit after the check of each partition: what is accepted of it, and the answer for all of it.
#[derive(Default)]
struct Checked {
    accepted: Vec<(TopicPartition, Offset)>,
    answer: Vec<(TopicPartition, ErrorCode)>,
}

impl Coordinator {
    pub(super) fn commit(&mut self, now: Instant, ticket: Ticket, id: GroupId, request: OffsetCommit, fx: &mut CoordinatorEffects) {
        let (member, kind) = (request.member, request.kind);
        if let Err(error) = self.validate_commit(now, id, &request) {
            fx.emit(TraceEvent::CommitRefused { group: id, member, kind, error });
            let refused = request.offsets.iter().map(|(partition, _, _)| (*partition, error)).collect();
            return self.turn(now, fx).answer(ticket, GroupResponse::OffsetCommit(refused));
        }
        self.with_group(now, id, fx, |group, turn| group.committed(member, turn));
        let Checked { accepted, answer } = self.check_metadata(request.offsets);
        if let Some((_, error)) = answer.iter().find(|(_, error)| *error != ErrorCode::None) {
            fx.emit(TraceEvent::CommitRefused { group: id, member, kind, error: *error });
        }
        for (partition, offset) in &accepted {
            self.offsets.commit(now, id, *partition, *offset);
            fx.emit(TraceEvent::Committed { group: id, member, partition: *partition, offset: *offset, kind });
        }
        if accepted.is_empty() {
            return self.turn(now, fx).answer_behind_writes(ticket, GroupResponse::OffsetCommit(answer));
        }
        self.note_offsets(id);
        self.turn(now, fx).answer_when_written(ticket, GroupResponse::OffsetCommit(answer));
    }

    /// A missing group is created by a commit without a generation: an administrator's, or that of a consumer that assigns itself.
    fn validate_commit(&mut self, now: Instant, id: GroupId, request: &OffsetCommit) -> Result<(), ErrorCode> {
        if request.generation < 0 {
            self.create_simple(now, id);
        }
        match self.groups.get(&id) {
            Some(Group::Classic(group)) => group.validate_commit(request.member, request.instance, request.generation, false),
            Some(Group::Consumer(group)) => {
                let committer = Committer {
                    member: request.member,
                    instance: request.instance,
                    epoch: request.generation,
                    version: Some(request.version),
                };
                group.validate_commit(committer, partitions(&request.offsets), &self.shard.config.switches.consumer)
            }
            None if request.version >= GROUP_ID_NOT_FOUND_VERSION => Err(ErrorCode::GroupIdNotFound),
            None => Err(ErrorCode::IllegalGeneration),
        }
    }

    /// Facts are told of plain commits only: no client of the simulator commits in transactions.
    pub(super) fn commit_in_transaction(
        &mut self,
        now: Instant,
        ticket: Ticket,
        id: GroupId,
        request: TxnOffsetCommit,
        fx: &mut CoordinatorEffects,
    ) {
        if request.generation < 0 {
            self.create_simple(now, id);
        }
        if let Err(error) = self.validate_transactional_commit(id, &request) {
            let refused = request.offsets.iter().map(|(partition, _, _)| (*partition, error)).collect();
            return self.turn(now, fx).answer(ticket, GroupResponse::TxnOffsetCommit(refused));
        }
        let Checked { accepted, answer } = self.check_metadata(request.offsets);
        for (partition, offset) in &accepted {
            self.offsets.commit_pending(now, request.producer, id, *partition, *offset);
        }
        let response = GroupResponse::TxnOffsetCommit(answer);
        if accepted.is_empty() {
            return self.turn(now, fx).answer_behind_writes(ticket, response);
        }
        self.note_offsets(id);
        let latency = self.shard.config.write_latency;
        self.shard.writes.append_transactional(now, latency, Deferred::Answer(Answer { ticket, response }));
    }

    /// Up to 4.3 a transaction is told ILLEGAL_GENERATION in place of STALE_MEMBER_EPOCH.
    fn validate_transactional_commit(&self, id: GroupId, request: &TxnOffsetCommit) -> Result<(), ErrorCode> {
        let switches = &self.shard.config.switches.consumer;
        let group = match self.groups.get(&id) {
            Some(Group::Classic(group)) => return group.validate_commit(request.member, request.instance, request.generation, true),
            Some(Group::Consumer(group)) => group,
            None => return Err(ErrorCode::IllegalGeneration),
        };
        let committer = Committer { member: request.member, instance: request.instance, epoch: request.generation, version: None };
        group.validate_commit(committer, partitions(&request.offsets), switches).map_err(|error| match error {
            ErrorCode::StaleMemberEpoch if !switches.transactions_are_told_stale_epochs => ErrorCode::IllegalGeneration,
            other => other,
        })
    }

    /// The marker that ends a producer's transaction reached this partition of `__consumer_offsets`.
    pub fn on_transaction_end(&mut self, now: Instant, producer: u64, commit: bool, fx: &mut CoordinatorEffects) {
        self.offsets.end_transaction(producer, commit);
        let latency = self.shard.config.write_latency;
        self.shard.writes.append_transactional(now, latency, Deferred::Nothing);
        self.settle(now, fx);
    }

    fn create_simple(&mut self, now: Instant, id: GroupId) {
        self.groups.entry(id).or_insert_with(|| Group::Classic(ClassicGroup::new(id, now)));
    }

    /// A group that exists only by its offsets comes back with them.
    fn note_offsets(&mut self, id: GroupId) {
        if self.consumer_group(id).is_none() {
            self.shard.stored.entry(id).or_default();
        }
    }

    fn check_metadata(&self, offsets: Vec<(TopicPartition, Offset, u32)>) -> Checked {
        let most = self.shard.config.offset_metadata_max_bytes;
        let mut checked = Checked::default();
        for (partition, offset, metadata) in offsets {
            if self.shard.config.checks_topics && !self.shard.topics.exists(partition) {
                checked.answer.push((partition, ErrorCode::UnknownTopicOrPartition));
            } else if metadata > most {
                checked.answer.push((partition, ErrorCode::OffsetMetadataTooLarge));
            } else {
                checked.accepted.push((partition, offset));
                checked.answer.push((partition, ErrorCode::None));
            }
        }
        checked
    }

    /// Whoever asks is answered, and a missing group has no offsets. With requireStable, as consumers ask, it is an empty write.
    pub(super) fn fetch(&mut self, now: Instant, ticket: Ticket, id: GroupId, request: OffsetFetch, fx: &mut CoordinatorEffects) {
        if let Some(Err(error)) = self.consumer_group(id).map(|group| group.validate_fetch(&request)) {
            let response = GroupResponse::OffsetFetch(OffsetFetchAnswer { error, offsets: Vec::new() });
            return self.turn(now, fx).answer(ticket, response);
        }
        let exists = self.groups.contains_key(&id);
        let stable = request.require_stable;
        let partitions = match request.partitions {
            Some(partitions) => partitions,
            None if exists => self.known_partitions(id, stable),
            None => Vec::new(),
        };
        let look_up = |partition| {
            let committed = self.offsets.get(id, partition).filter(|_| exists);
            let answer = match committed {
                _ if stable && self.offsets.is_pending(id, partition) => FetchedOffset::Unstable,
                Some(offset) => FetchedOffset::Committed(offset),
                None => FetchedOffset::Nothing,
            };
            (partition, answer)
        };
        let offsets = partitions.into_iter().map(look_up).collect();
        let response = GroupResponse::OffsetFetch(OffsetFetchAnswer { error: ErrorCode::None, offsets });
        let mut turn = self.turn(now, fx);
        if stable { turn.answer_behind_writes(ticket, response) } else { turn.answer(ticket, response) }
    }

    fn known_partitions(&self, id: GroupId, stable: bool) -> Vec<TopicPartition> {
        let mut partitions: BTreeSet<TopicPartition> = self.offsets.of_group(id).map(|(partition, _)| partition).collect();
        if stable && self.shard.config.switches.fetch_all_lists_pending {
            partitions.extend(self.offsets.pending_of_group(id));
        }
        partitions.into_iter().collect()
    }

    pub(super) fn delete_offsets(
        &mut self,
        now: Instant,
        ticket: Ticket,
        id: GroupId,
        partitions: Vec<TopicPartition>,
        fx: &mut CoordinatorEffects,
    ) {
        let error = match self.groups.get(&id) {
            None => ErrorCode::GroupIdNotFound,
            Some(Group::Classic(group)) if !group.may_delete_offsets() => ErrorCode::NonEmptyGroup,
            Some(Group::Classic(_) | Group::Consumer(_)) => ErrorCode::None,
        };
        let Some(group) = self.groups.get(&id).filter(|_| error == ErrorCode::None) else {
            return self.turn(now, fx).answer(ticket, GroupResponse::OffsetDelete { error, partitions: Vec::new() });
        };
        let refused = |partition: &TopicPartition| {
            if group.is_subscribed_to(partition.topic) { ErrorCode::GroupSubscribedToTopic } else { ErrorCode::None }
        };
        let answer: Vec<(TopicPartition, ErrorCode)> = partitions.iter().map(|partition| (*partition, refused(partition))).collect();
        let mut wrote = false;
        for (partition, _) in answer.iter().filter(|(_, error)| *error == ErrorCode::None) {
            wrote |= self.offsets.get(id, *partition).is_some() || self.offsets.is_pending(id, *partition);
            self.offsets.delete(id, *partition);
        }
        let response = GroupResponse::OffsetDelete { error, partitions: answer };
        let mut turn = self.turn(now, fx);
        if wrote { turn.answer_when_written(ticket, response) } else { turn.answer_behind_writes(ticket, response) }
    }

    pub(super) fn delete_group(&mut self, now: Instant, ticket: Ticket, id: GroupId, fx: &mut CoordinatorEffects) {
        let error = match self.groups.get(&id) {
            None => ErrorCode::GroupIdNotFound,
            Some(group) if group.is_empty() => ErrorCode::None,
            Some(_) => ErrorCode::NonEmptyGroup,
        };
        let response = GroupResponse::DeleteGroup(error);
        if error != ErrorCode::None {
            return self.turn(now, fx).answer_behind_writes(ticket, response);
        }
        self.offsets.delete_group(id);
        self.forget_group(now, id, fx);
        self.turn(now, fx).answer_when_written(ticket, response);
    }
}

fn partitions(offsets: &[(TopicPartition, Offset, u32)]) -> impl Iterator<Item = TopicPartition> + '_ {
    offsets.iter().map(|(partition, _, _)| *partition)
}

impl ClassicGroup {
    /// ClassicGroup#validateOffsetCommit. Without a generation an Empty group takes a commit of anybody; the state is not asked for offsets in
    /// a transaction.
    fn validate_commit(
        &self,
        member: Option<MemberId>,
        instance: Option<InstanceId>,
        generation: i32,
        transactional: bool,
    ) -> Result<(), ErrorCode> {
        let empty = self.state() == GroupState::Empty;
        if generation < 0 && empty {
            return Ok(());
        }
        if generation >= 0 || member.is_some() || instance.is_some() {
            self.validate_member(member, instance)?;
            if generation != self.generation() {
                return Err(ErrorCode::IllegalGeneration);
            }
        } else if !transactional {
            return Err(ErrorCode::UnknownMemberId);
        }
        // The member has the new generation from the answer to its JoinGroup, but no assignment yet.
        if !transactional && self.state() == GroupState::CompletingRebalance {
            return Err(ErrorCode::RebalanceInProgress);
        }
        Ok(())
    }

    /// ClassicGroup#validateOffsetDelete: members of other protocol types keep all of them.
    fn may_delete_offsets(&self) -> bool {
        match self.state() {
            GroupState::Empty | GroupState::Dead => true,
            GroupState::PreparingRebalance | GroupState::CompletingRebalance | GroupState::Stable => self.uses_consumer_protocol(),
        }
    }
}
