//! The join phase: from the event that starts a rebalance to the next generation.
//!
//! Origin: GroupMetadataManager#prepareRebalance, #tryCompleteInitialRebalanceElseSchedule, #completeClassicGroupJoin. A phase that starts in an
//! Empty group is the initial rebalance (KIP-134): it lasts for windows of group.initial.rebalance.delay.ms.

use crate::kafka::coordinator::shard::Turn;
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::coordinator::writes::Deferred;
use crate::kafka::group::classic::{ClassicGroup, InitialWindow, Member};
use crate::kafka::java_map;
use crate::kafka::message::{GroupResponse, JoinAnswer};
use crate::terms::{ErrorCode, GroupState, Name, RebalanceReason, RemovalReason};
use crate::trace::TraceEvent;
use crate::units::{MemberId, Span};

impl ClassicGroup {
    /// A rebalance starts if none is being prepared; else the join phase may be complete by what just happened.
    pub(super) fn rebalance_or_complete(&mut self, reason: RebalanceReason, trigger: Option<MemberId>, turn: &mut Turn<'_>) {
        match self.state() {
            GroupState::Empty | GroupState::CompletingRebalance | GroupState::Stable => self.prepare_rebalance(reason, trigger, turn),
            GroupState::PreparingRebalance | GroupState::Dead => {
                self.tell_rejoined(trigger, turn);
                self.maybe_complete_join(turn);
            }
        }
    }

    pub fn prepare_rebalance(&mut self, reason: RebalanceReason, trigger: Option<MemberId>, turn: &mut Turn<'_>) {
        if self.state() == GroupState::CompletingRebalance {
            self.propagate_error(ErrorCode::RebalanceInProgress, turn);
        }
        self.pending_sync.clear();
        turn.cancel(CoordinatorTimer::Sync(self.id));
        let initial = self.state() == GroupState::Empty;
        let delay = turn.config().initial_rebalance_delay;
        let length = if initial { delay } else { self.rebalance_timeout() };
        self.transition(GroupState::PreparingRebalance, turn);
        let (group, generation, deadline) = (self.id, self.generation, turn.now + length);
        turn.emit(TraceEvent::RebalanceStarted { group, reason, trigger, generation, deadline, initial });
        self.tell_rejoined(trigger, turn);
        if initial {
            let remaining = self.rebalance_timeout().saturating_sub(delay);
            self.initial_window = Some(InitialWindow { length: delay, remaining });
        } else if self.has_all_members_joined() {
            return self.complete_join(turn);
        }
        turn.arm(CoordinatorTimer::Join(group), length);
    }

    /// Tells that the JoinGroup of this member is parked, if it is.
    fn tell_rejoined(&self, member: Option<MemberId>, turn: &mut Turn<'_>) {
        let parked = member.filter(|id| self.member(*id).is_some_and(|member| member.join.is_some()));
        if let Some(member) = parked {
            turn.emit(TraceEvent::MemberRejoined { group: self.id, member });
        }
    }

    /// GroupMetadataManager#maybeCompleteJoinPhase. Nobody's coming or leaving shortens the initial rebalance.
    pub(super) fn maybe_complete_join(&mut self, turn: &mut Turn<'_>) {
        let preparing = self.state() == GroupState::PreparingRebalance;
        if preparing && self.previous_state != GroupState::Empty && self.has_all_members_joined() {
            self.complete_join(turn);
        }
    }

    /// An expired member or pending id may have been the last one waited for. Unlike [`Self::maybe_complete_join`] this does not ask whether
    /// it is the initial rebalance (GroupMetadataManager#removeMemberAndUpdateClassicGroup).
    pub(super) fn complete_join_after_expiry(&mut self, turn: &mut Turn<'_>) {
        if self.state() == GroupState::PreparingRebalance && self.has_all_members_joined() {
            self.complete_join(turn);
        }
    }

    /// The join timer fired.
    pub fn join_timed_out(&mut self, turn: &mut Turn<'_>) {
        match self.initial_window {
            Some(window) if self.new_member_added && !window.remaining.is_zero() => self.extend_initial_delay(window, turn),
            Some(_) | None => self.complete_join(turn),
        }
    }

    fn extend_initial_delay(&mut self, window: InitialWindow, turn: &mut Turn<'_>) {
        self.new_member_added = false;
        let length = turn.config().initial_rebalance_delay.min(window.remaining);
        self.initial_window = Some(InitialWindow { length, remaining: window.remaining.saturating_sub(window.length) });
        turn.arm(CoordinatorTimer::Join(self.id), length);
        turn.emit(TraceEvent::InitialDelayExtended { group: self.id, until: turn.now + length });
    }

    /// Ends the join phase: without the dynamic members that did not rejoin, but with the static ones.
    fn complete_join(&mut self, turn: &mut Turn<'_>) {
        turn.cancel(CoordinatorTimer::Join(self.id));
        self.initial_window = None;
        self.remove_absent_dynamic_members(turn);
        let leads = self.elect_joined_leader();
        if !leads && !self.members.is_empty() {
            // Static members alone, and none of them is here: wait on, until their sessions end.
            return turn.arm(CoordinatorTimer::Join(self.id), self.rebalance_timeout());
        }
        self.generation += 1;
        self.pending_sync.clear();
        self.protocol = self.select_protocol();
        self.subscribed_topics = self.compute_subscribed_topics();
        turn.emit(TraceEvent::JoinPhaseEnded {
            group: self.id,
            generation: self.generation,
            leader: self.leader,
            protocol: self.protocol.clone(),
            members: self.members.len() as u32,
        });
        if self.members.is_empty() {
            self.transition(GroupState::Empty, turn);
            self.store(&[], turn);
            turn.write(Deferred::Nothing);
        } else {
            self.transition(GroupState::CompletingRebalance, turn);
            self.start_sync_phase(turn);
        }
    }

    fn remove_absent_dynamic_members(&mut self, turn: &mut Turn<'_>) {
        let absent = |member: &&Member| member.join.is_none() && member.instance.is_none();
        let absent: Vec<MemberId> = self.members.values().filter(absent).map(|member| member.id).collect();
        for member in absent {
            self.remove(member);
            turn.cancel(CoordinatorTimer::Heartbeat(self.id, member));
            turn.emit(TraceEvent::MemberRemoved { group: self.id, member, reason: RemovalReason::JoinTimedOut });
        }
    }

    /// ClassicGroup#maybeElectNewJoinedLeader: false if nobody is parked.
    fn elect_joined_leader(&mut self) -> bool {
        let Some(leader) = self.leader.and_then(|id| self.member(id)) else { return false };
        if leader.join.is_some() {
            return true;
        }
        let elected = self.members.values().find(|member| member.join.is_some()).map(|member| member.id);
        self.leader = elected.or(self.leader);
        elected.is_some()
    }

    /// Answers everybody who is parked; everybody's session is watched from here on, and everybody's SyncGroup is expected.
    fn start_sync_phase(&mut self, turn: &mut Turn<'_>) {
        let list = self.joined_members();
        let members: Vec<(MemberId, Span)> = self.members.values().map(|member| (member.id, member.session_timeout)).collect();
        let mut list = Some(list);
        for (id, session_timeout) in members {
            if let Some(ticket) = self.take_join(id) {
                let members = if self.is_leader(id) { list.take().unwrap_or_default() } else { Vec::new() };
                let answer = JoinAnswer { members, ..self.generation_answer(id) };
                turn.answer(ticket, GroupResponse::Join(answer));
            }
            turn.arm(CoordinatorTimer::Heartbeat(self.id, id), session_timeout);
            self.pending_sync.insert(id);
        }
        for member in self.members.values_mut() {
            member.is_new = false;
        }
        turn.arm(CoordinatorTimer::Sync(self.id), self.rebalance_timeout());
    }

    /// ClassicGroup#selectProtocol: everybody votes for the first of its protocols that all members support. Of those with the most votes
    /// wins the one that a java.util.HashMap of the names comes upon first.
    pub(super) fn select_protocol(&self) -> Option<Name> {
        let mut votes: Vec<(Name, usize)> = Vec::new();
        for member in self.members.values() {
            let Some(choice) = member.protocols.iter().find(|entry| self.is_candidate(&entry.name)) else { continue };
            match votes.iter_mut().find(|(name, _)| *name == choice.name) {
                Some((_, count)) => *count += 1,
                None => votes.push((choice.name.clone(), 1)),
            }
        }
        let most = votes.iter().map(|(_, count)| *count).max()?;
        let order = java_map::iteration_order(votes.iter().map(|(name, _)| &**name));
        order.into_iter().find(|index| votes[*index].1 == most).map(|index| votes[index].0.clone())
    }
}
