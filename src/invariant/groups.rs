//! What must hold for a group as its coordinator tells it (ClassicGroupState, GroupMetadataManager); of KIP-848 groups more in `epochs`.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use super::epochs::EpochRules;
use crate::terms::{GroupProtocol, GroupState};
use crate::trace::TraceEvent;
use crate::units::{ClientId, GroupId, MemberId, TopicPartition};

#[derive(Clone, Debug)]
pub(super) struct GroupRules {
    group: GroupId,
    state: GroupState,
    /// Of the last join phase that ended.
    generation: Option<i32>,
    /// Whom that join phase made the leader.
    leader: Option<ClientId>,
    members: BTreeSet<MemberId>,
    /// Whose JoinGroup waits.
    joining: BTreeSet<MemberId>,
    /// Who takes part in the generation; others are members of an older one.
    current: BTreeSet<MemberId>,
    /// Of a group that was upgraded: those that were of an older generation then, and have not come to it since.
    behind: BTreeSet<MemberId>,
    /// Members of the consumer protocol were there: such a one may still commit when it has left.
    had_epochs: bool,
    computed: Option<Computed>,
    /// By client: whether it has found the coordinator again since its first JoinGroup in this life.
    reconnected: BTreeMap<ClientId, bool>,
    epochs: EpochRules,
}

/// What a leader handed out.
#[derive(Clone, Debug)]
struct Computed {
    generation: i32,
    assigned: Vec<(MemberId, Box<[TopicPartition]>)>,
}

impl GroupRules {
    pub fn new(group: GroupId) -> Self {
        GroupRules {
            group,
            state: GroupState::Empty,
            generation: None,
            leader: None,
            members: BTreeSet::new(),
            joining: BTreeSet::new(),
            current: BTreeSet::new(),
            behind: BTreeSet::new(),
            had_epochs: false,
            computed: None,
            reconnected: BTreeMap::new(),
            epochs: EpochRules::default(),
        }
    }

    pub fn coordinator_found(&mut self, client: ClientId) {
        if let Some(reconnected) = self.reconnected.get_mut(&client) {
            *reconnected = true;
        }
    }

    pub fn started(&mut self, client: ClientId) {
        self.reconnected.remove(&client);
    }

    pub fn joins(&mut self, client: ClientId) {
        self.reconnected.entry(client).or_default();
    }

    /// Takes what the coordinator tells of members and states.
    pub fn record(&mut self, event: &TraceEvent, findings: &mut Findings) {
        self.epochs.record(self.group, event, findings);
        let group = self.group.0;
        if let TraceEvent::GroupStateChanged { from: GroupState::Dead, to, generation, .. } = event {
            self.loaded(*to, *generation, findings);
        } else if let TraceEvent::GroupStateChanged { from, to, .. } = event {
            self.state_changed(*from, *to, findings);
        } else if let TraceEvent::JoinPhaseEnded { generation, leader, .. } = event {
            self.join_phase_ended(*generation, leader.map(|leader| leader.client), findings);
        } else if let TraceEvent::MemberAdded { member, .. } = event {
            findings.expect(self.members.insert(*member), || format!("group {group}: {member:?} was added twice"));
        } else if let TraceEvent::MemberRemoved { member, .. } = event {
            findings.expect(self.members.remove(member), || format!("group {group}: {member:?} was removed and is no member"));
            self.joining.remove(member);
            self.current.remove(member);
            self.behind.remove(member);
        } else if let TraceEvent::MemberReplaced { old, new, .. } = event {
            self.replaced(*old, *new, findings);
        } else if let TraceEvent::MemberRejoined { member, .. } = event {
            self.joining.insert(*member);
        } else if let TraceEvent::MemberReconciled { member, .. } = event {
            self.behind.remove(member);
        } else if let TraceEvent::HeartbeatHandled { member: Some(member), .. } = event {
            // The client sends none until its JoinGroup is answered, and requests of one connection are handled in order. What it sent on an
            // earlier connection may come late.
            let has_reconnected = self.reconnected.get(&member.client).is_some_and(|reconnected| *reconnected);
            findings.expect(has_reconnected || !self.joining.contains(member), || {
                format!("group {group}: a heartbeat of {member:?}, whose JoinGroup waits")
            });
        } else if let TraceEvent::GroupProtocolChanged { to, epoch, .. } = event {
            match to {
                GroupProtocol::Consumer => self.upgraded(*epoch),
                GroupProtocol::Classic => self.downgraded(*epoch),
            }
        } else if let TraceEvent::GroupDeleted { .. } = event {
            findings.expect(self.members.is_empty(), || format!("group {group}: deleted with members"));
            *self = GroupRules { reconnected: std::mem::take(&mut self.reconnected), ..GroupRules::new(self.group) };
        }
    }

    /// When all that happened at one moment has been told.
    pub fn check_settled(&self, findings: &mut Findings) {
        let GroupRules { group, members, .. } = self;
        let is_fine = self.epochs.are_in_use() || self.state != GroupState::Empty || members.is_empty();
        findings.expect(is_fine, || format!("group {}: Empty, but it has the members {members:?}", group.0));
        let strangers = || self.joining.difference(members);
        findings.expect(strangers().next().is_none(), || {
            format!("group {}: the JoinGroup of {:?} waits, who is no member", group.0, strangers().collect::<Vec<_>>())
        });
    }

    /// A leader handed out the partitions.
    pub fn computed(
        &mut self,
        (client, generation): (ClientId, i32),
        assigned: &[(MemberId, Box<[TopicPartition]>)],
        findings: &mut Findings,
    ) {
        let group = self.group.0;
        if self.is_leader_of_the_past(client, generation) {
            return;
        }
        let known = self.computed.as_ref().map(|before| before.generation);
        findings.expect(known != Some(generation), || format!("group {group}: a second assignment for generation {generation}"));
        let mut seen = BTreeSet::new();
        for (member, partition) in assigned.iter().flat_map(|(member, partitions)| partitions.iter().map(move |p| (member, p))) {
            findings.expect(seen.insert(*partition), || {
                format!("group {group}: generation {generation} gives {partition:?} to {member:?} and to somebody else")
            });
        }
        // A leader that stood still may compute for a generation that has passed: nobody will get that.
        if known.is_none_or(|known| known < generation) {
            self.computed = Some(Computed { generation, assigned: assigned.to_vec() });
        }
    }

    /// A coordinator that dies before the leader's assignment is stored takes the generation with it, and the next one counts from the one
    /// before (GroupMetadataManager#loadGroup): a generation may have two leaders, of whom the first finds out by its SyncGroup. Nor does
    /// anybody get what a leader computes whose group was upgraded meanwhile.
    pub fn is_leader_of_the_past(&self, client: ClientId, generation: i32) -> bool {
        self.epochs.are_in_use() || self.is_at(generation) && self.leader.is_some_and(|leader| leader != client)
    }

    /// Whether the leader gave this to that member, if it is known.
    pub fn was_given(&self, member: MemberId, generation: i32, partition: TopicPartition) -> bool {
        let Some(computed) = self.computed.as_ref().filter(|computed| computed.generation == generation) else { return true };
        computed.assigned.iter().any(|(other, partitions)| *other == member && partitions.contains(&partition))
    }

    pub fn is_at(&self, generation: i32) -> bool {
        self.generation == Some(generation)
    }

    /// In a KIP-848 group every member is that it has not taken over from an older generation.
    pub fn is_in_current_generation(&self, member: MemberId) -> bool {
        if self.epochs.are_in_use() {
            self.members.contains(&member) && !self.behind.contains(&member)
        } else {
            self.current.contains(&member)
        }
    }

    /// The coordinator took a commit.
    pub fn committed(&self, member: Option<MemberId>, findings: &mut Findings) {
        let GroupRules { group, members, state, had_epochs, .. } = self;
        match member {
            Some(member) => {
                // Without members, a group takes commits without an epoch from whoever was one.
                let was_one = (self.epochs.are_in_use() || *had_epochs) && members.is_empty();
                findings.expect(was_one || members.contains(&member), || {
                    format!("group {}: a commit of {member:?}, who is no member", group.0)
                });
            }
            None => findings.expect(members.is_empty(), || format!("group {}: a commit without a member, but it has members", group.0)),
        }
        findings.expect(*state != GroupState::CompletingRebalance, || format!("group {}: a commit in CompletingRebalance", group.0));
    }

    /// Whoever waited was sent away. What the members of a Stable group were given they have.
    fn upgraded(&mut self, epoch: i32) {
        let computed = self.computed.take().filter(|computed| self.state == GroupState::Stable && self.is_at(computed.generation));
        let shares = computed.into_iter().flat_map(|computed| computed.assigned);
        let held = shares.filter(|(member, _)| self.members.contains(member)).map(|(member, share)| (member, share.into_iter().collect()));
        self.epochs = EpochRules::begin(epoch, held.collect());
        self.behind = self.members.difference(&self.current).copied().collect();
        self.state = GroupState::Stable;
        self.joining.clear();
    }

    /// Its members, if it has some, are those of a Stable group. Kafka counts the target as theirs; but whoever has not come to the epoch that
    /// is the generation has still what it had in an older one.
    fn downgraded(&mut self, generation: i32) {
        let is_empty = self.members.is_empty();
        self.state = if is_empty { GroupState::Empty } else { GroupState::Stable };
        (self.generation, self.leader) = ((!is_empty).then_some(generation), None);
        self.current = self.members.iter().copied().filter(|member| self.epochs.has_reached(*member, generation)).collect();
        (self.epochs, self.computed, self.had_epochs) = (EpochRules::default(), None, true);
    }

    fn state_changed(&mut self, from: GroupState, to: GroupState, findings: &mut Findings) {
        let (group, state) = (self.group.0, self.state);
        // A deleted group starts over when somebody joins it.
        let starts_over = state == GroupState::Dead && from == GroupState::Empty;
        findings.expect(from == state || starts_over, || format!("group {group}: it left {from:?}, but it was in {state:?}"));
        findings.expect(is_legal(from, to), || format!("group {group}: it went from {from:?} to {to:?}"));
        self.state = to;
        if to == GroupState::Dead {
            // If the group comes back, it starts over, or as it was written last. Whoever waited was sent away.
            (self.generation, self.computed) = (None, None);
            self.joining.clear();
        }
    }

    /// Another coordinator has read the group.
    fn loaded(&mut self, to: GroupState, generation: i32, findings: &mut Findings) {
        let (group, state) = (self.group.0, self.state);
        let is_fine = state == GroupState::Dead && matches!(to, GroupState::Empty | GroupState::Stable);
        findings.expect(is_fine, || format!("group {group}: loaded as {to:?}, but it was in {state:?}"));
        (self.state, self.generation, self.leader) = (to, Some(generation), None);
    }

    fn join_phase_ended(&mut self, generation: i32, leader: Option<ClientId>, findings: &mut Findings) {
        let group = self.group.0;
        if let Some(before) = self.generation {
            findings.expect(generation > before, || format!("group {group}: generation {generation} follows {before}"));
        }
        (self.generation, self.leader) = (Some(generation), leader);
        // What was computed for a generation of the same number, before the coordinator died, is void.
        self.computed = self.computed.take().filter(|computed| computed.generation < generation);
        self.current = std::mem::take(&mut self.joining);
    }

    fn replaced(&mut self, old: MemberId, new: MemberId, findings: &mut Findings) {
        let group = self.group.0;
        findings.expect(self.members.remove(&old), || format!("group {group}: {old:?} was replaced and is no member"));
        findings.expect(self.members.insert(new), || format!("group {group}: {new:?} replaces somebody and was a member before"));
        self.joining.remove(&old);
        if self.current.remove(&old) {
            self.current.insert(new);
        }
        // The assignment goes over to the new id.
        let assigned = self.computed.iter_mut().flat_map(|computed| &mut computed.assigned);
        assigned.filter(|(member, _)| *member == old).for_each(|(member, _)| *member = new);
    }
}

/// ClassicGroupState's valid previous states.
fn is_legal(from: GroupState, to: GroupState) -> bool {
    use GroupState::{CompletingRebalance, Dead, Empty, PreparingRebalance, Stable};
    match to {
        Empty => matches!(from, PreparingRebalance),
        PreparingRebalance => matches!(from, Empty | CompletingRebalance | Stable),
        CompletingRebalance => matches!(from, PreparingRebalance),
        Stable => matches!(from, CompletingRebalance),
        Dead => true,
    }
}
