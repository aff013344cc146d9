//! What must hold for records and for those who read them.

use std::collections::BTreeSet;

use super::Findings;
use super::groups::GroupRules;
use super::positions::PositionRules;
use crate::fold::{Append, Known, Poll, Work};
use crate::ownership::Hold;
use crate::slots::Slots;
use crate::trace::TraceEvent;
use crate::units::{ClientId, GroupId, Instant, MemberId, Offset, OffsetRange, TopicPartition};

#[derive(Clone, Debug)]
pub(super) struct ReadingRules {
    /// By partition.
    appended: Vec<Offset>,
    /// By partition: commits beyond what is told so far, when they were made. Appends may be told later than they were visible.
    ahead: Vec<Vec<(Instant, Offset)>>,
    committed: PositionRules,
    /// By slot: the position of each client that had one.
    positions: Vec<Vec<(ClientId, Offset)>>,
    /// Slots and clients: marked for revocation, and not given up since.
    stopped: BTreeSet<(usize, ClientId)>,
    /// By client: it knows that it is out, and the application does not yet. A poll that is under way may fetch and return records once more.
    letting_go: Vec<bool>,
    pub zombie_overlaps: u64,
}

impl ReadingRules {
    pub fn new(slots: &Slots) -> Self {
        ReadingRules {
            appended: vec![Offset(0); slots.partitions()],
            ahead: vec![Vec::new(); slots.partitions()],
            committed: PositionRules::new(slots),
            positions: vec![Vec::new(); slots.count()],
            stopped: BTreeSet::new(),
            letting_go: vec![false; slots.cast().client_group.len()],
            zombie_overlaps: 0,
        }
    }

    #[inline(always)]
    pub fn appended(&mut self, append: &Append<'_>, findings: &mut Findings) {
        let Append { partition, index, offsets, .. } = *append;
        let end = std::mem::replace(&mut self.appended[index], offsets.to);
        if offsets.from != end {
            findings.found(move || format!("{partition:?}: {} was appended at the end {end}", offsets.from));
        }
        let now = findings.now;
        if append.visible.1 > now {
            let (visible, records) = (append.visible_by(now), offsets.len());
            findings.found(move || format!("{partition:?}: only {visible} of {records} records from {} on are visible", offsets.from));
        }
        if !self.ahead[index].is_empty() {
            self.catch_up(append, findings);
        }
    }

    /// Commits that were ahead of what had been told were right if the records had been visible at that time.
    fn catch_up(&mut self, append: &Append<'_>, findings: &mut Findings) {
        let OffsetRange { from: first, to: end } = append.offsets;
        self.ahead[append.index].retain(|(at, offset)| {
            if *offset > end {
                return true;
            }
            let visible = first + append.visible_by(*at);
            findings.expect(*offset <= visible, || {
                format!("partition number {}: {offset} was committed at {at}, above the high watermark {visible}", append.index)
            });
            false
        });
    }

    pub fn committed(
        &mut self,
        known: &Known,
        (group, member): (GroupId, Option<MemberId>),
        partition: TopicPartition,
        offset: Offset,
        findings: &Findings,
    ) {
        let slot = known.slots.at(group, partition);
        // Who took the partition last may be a zombie.
        let by_owner = member.is_some_and(|member| known.ownership.is_held_by(slot, member.client));
        self.committed.committed(slot, offset, by_owner);
        let index = known.slots.cast().index(partition);
        if offset > self.appended[index] {
            self.ahead[index].push((findings.now, offset));
        }
    }

    pub fn assigned(
        &mut self,
        known: &Known,
        group: &GroupRules,
        (member, generation): (MemberId, i32),
        partitions: &[TopicPartition],
        findings: &mut Findings,
    ) {
        for partition in partitions {
            findings.expect(group.was_given(member, generation, *partition), || {
                format!("{member:?} took {partition:?}, which generation {generation} did not give to it")
            });
            let slot = known.slots.of(member.client, *partition);
            // What only stopped goes on from where it was.
            if !self.stopped.remove(&(slot, member.client)) {
                self.positions[slot].retain(|(client, _)| *client != member.client);
            }
            self.committed.assigned(slot);
            for other in known.ownership.holds(slot).iter().rev().filter(|hold| hold.to.is_none() && hold.client != member.client) {
                // Either may be the zombie: an answer to SyncGroup can come when the generation is over.
                let both_are_current = group.is_in_current_generation(other.member) && group.is_in_current_generation(member);
                if other.undone.is_some() || !both_are_current {
                    self.zombie_overlaps += 1;
                } else {
                    let owner = other.member;
                    findings.expect(false, || format!("{member:?} took {partition:?}, which {owner:?} of the same generation has"));
                }
            }
        }
    }

    /// Nobody is given what another member of the generation still has: eager members have given everything up before, and what a
    /// cooperative one has to give up is handed out in the next generation. A leader that stood still may compute for one that has passed.
    pub fn computed(
        &self,
        known: &Known,
        group: &GroupRules,
        (client, generation): (ClientId, i32),
        assigned: &[(MemberId, Box<[TopicPartition]>)],
        findings: &mut Findings,
    ) {
        if !group.is_at(generation) || group.is_leader_of_the_past(client, generation) {
            return;
        }
        for (member, partition) in assigned.iter().flat_map(|(member, partitions)| partitions.iter().map(move |p| (member, p))) {
            let holds = known.ownership.holds(known.slots.of(member.client, *partition)).iter().rev();
            let is_held = |hold: &&Hold| hold.to.is_none() && hold.undone.is_none() && hold.client != member.client;
            if let Some(hold) = holds.filter(is_held).find(|hold| group.is_in_current_generation(hold.member)) {
                let owner = hold.member;
                findings.expect(false, || format!("generation {generation} gives {partition:?} to {member:?} while {owner:?} has it"));
            }
        }
    }

    pub fn expired(&mut self, known: &Known, group: GroupId, partition: TopicPartition) {
        self.committed.uncommitted(known.slots.at(group, partition));
    }

    pub fn deleted(&mut self, known: &Known, group: GroupId) {
        known.slots.of_group(group).for_each(|(_, slot)| self.committed.uncommitted(slot));
    }

    pub fn position_set(&mut self, known: &Known, group: &GroupRules, event: &TraceEvent, findings: &mut Findings) {
        let TraceEvent::PositionSet { client, partition, offset, source } = *event else { return };
        let slot = known.slots.of(client, partition);
        // A zombie does not know yet that it is out, and may get an answer that was true before others committed. It may have been out before
        // it took the partition: the answer to its SyncGroup was on its way then.
        let hold = known.ownership.holds(slot).iter().rev().find(|hold| hold.client == client);
        if hold.is_none_or(|hold| hold.to.is_none() && hold.undone.is_none() && group.is_in_current_generation(hold.member)) {
            self.committed.position_set(slot, (client, partition), (offset, source), findings);
        }
        let positions = &mut self.positions[slot];
        match positions.iter_mut().find(|(other, _)| *other == client) {
            Some((_, position)) => *position = offset,
            None => positions.push((client, offset)),
        }
    }

    pub fn membership_lost(&mut self, client: ClientId) {
        self.letting_go[client.index()] = true;
    }

    /// Partitions stop, or are given up.
    pub fn give_up(&mut self, known: &Known, event: &TraceEvent) {
        if let TraceEvent::RevocationPending { client, partitions } = event {
            self.stopped(known, *client, partitions);
        } else if let TraceEvent::Lost { client, partitions } | TraceEvent::Revoked { client, partitions } = event {
            self.let_go(known, *client, partitions);
        }
    }

    /// Partitions are not read any more, and may go on if the application changes its mind.
    fn stopped(&mut self, known: &Known, client: ClientId, partitions: &[TopicPartition]) {
        self.stopped.extend(partitions.iter().map(|partition| (known.slots.of(client, *partition), client)));
    }

    /// onPartitionsRevoked or onPartitionsLost was called.
    fn let_go(&mut self, known: &Known, client: ClientId, partitions: &[TopicPartition]) {
        self.letting_go[client.index()] = false;
        for partition in partitions {
            self.stopped.remove(&(known.slots.of(client, *partition), client));
        }
    }

    fn may_read(&self, known: &Known, slot: usize, client: ClientId) -> bool {
        let had_it = || known.ownership.holds(slot).iter().any(|hold| hold.client == client);
        known.ownership.is_held_by(slot, client) || self.letting_go[client.index()] && had_it()
    }

    pub fn fetch_started(&self, known: &Known, client: ClientId, partition: TopicPartition, findings: &mut Findings) {
        let is_owner = self.may_read(known, known.slots.of(client, partition), client);
        findings.expect(is_owner, || format!("{client:?} fetches {partition:?}, which it does not have"));
    }

    #[inline(always)]
    pub fn polled(&mut self, known: &Known, poll: Poll<'_>, findings: &mut Findings) {
        let Poll { client, partition, index, slot, offsets, latest_hold } = poll;
        // Usually it is the latest that took the partition, and the others need not be looked through.
        let has_it = latest_hold.is_some_and(|hold| hold.client == client && hold.to.is_none());
        if !has_it && !self.may_read(known, slot, client) {
            findings.found(move || format!("{client:?} polled {offsets:?} of {partition:?}, which it does not have"));
        }
        let end = self.appended[index];
        if offsets.to > end {
            findings.found(move || format!("{client:?} polled {offsets:?} of {partition:?}, which ends at {end}"));
        }
        let before = self.positions[slot].iter_mut().find(|(other, _)| *other == client);
        let before = before.map(|(_, position)| std::mem::replace(position, offsets.to));
        if before != Some(offsets.from) {
            findings.found(move || match before {
                Some(position) => format!("{client:?} polled {offsets:?} of {partition:?} at {position}"),
                None => format!("{client:?} polled {offsets:?} of {partition:?} without a position"),
            });
        }
    }

    #[inline(always)]
    pub fn processed(&mut self, work: Work<'_>, findings: &mut Findings) {
        let Work { partition, slot: _, delivery, was_in_hand } = work;
        let (client, offsets) = (delivery.by.client, delivery.offsets);
        if !offsets.is_empty() && delivery.last() > findings.now {
            let last = delivery.last();
            findings.found(move || format!("{client:?} finished {offsets:?} of {partition:?} later, at {last}"));
        }
        if !was_in_hand {
            findings.found(move || format!("{client:?} processed {offsets:?} of {partition:?} without having them in hand"));
        }
    }

    pub fn dropped(&mut self, known: &Known, client: ClientId, partition: TopicPartition, offsets: OffsetRange, findings: &mut Findings) {
        let was_in_hand = known.deliveries.has_in_hand(known.slots.of(client, partition), client, offsets);
        findings.expect(was_in_hand, || format!("{client:?} dropped {offsets:?} of {partition:?} without having them in hand"));
    }

    /// Whatever the last life of this client had is gone.
    pub fn started(&mut self, known: &Known, client: ClientId) {
        for (_, slot) in known.slots.of_group(known.slots.group_of(client)) {
            self.positions[slot].retain(|(other, _)| *other != client);
        }
        self.letting_go[client.index()] = false;
        self.stopped.retain(|(_, stopped)| *stopped != client);
    }

    pub fn ended(&self, findings: &mut Findings) {
        for (index, commits) in self.ahead.iter().enumerate() {
            let end = self.appended[index];
            for (at, offset) in commits {
                findings.expect(false, || format!("partition number {index}: {offset} was committed at {at}, and it ends at {end}"));
            }
        }
    }
}
