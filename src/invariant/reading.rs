//! What must hold for records and for those who read them.

use super::Findings;
use super::groups::GroupRules;
use super::positions::PositionRules;
use crate::ownership::{Hold, Ownership};
use crate::records::visible_by;
use crate::slots::Slots;
use crate::trace::{Created, TraceEvent};
use crate::units::{ClientId, GroupId, Instant, MemberId, Offset, OffsetRange, Span, TopicPartition};

#[derive(Clone, Debug)]
pub(super) struct ReadingRules {
    slots: Slots,
    /// By partition.
    appended: Vec<Offset>,
    /// By partition: commits beyond what is told so far, when they were made. Appends may be told later than they were visible.
    ahead: Vec<Vec<(Instant, Offset)>>,
    committed: PositionRules,
    /// By slot: the position of each client that had one.
    positions: Vec<Vec<(ClientId, Offset)>>,
    /// By slot: polled, and neither processed nor dropped.
    in_hand: Vec<Vec<(ClientId, OffsetRange)>>,
    /// By client: it knows that it is out, and the application does not yet. A poll that is under way may fetch and return records once more.
    letting_go: Vec<bool>,
    pub zombie_overlaps: u64,
}

impl ReadingRules {
    pub fn new(slots: Slots) -> Self {
        ReadingRules {
            appended: vec![Offset(0); slots.partitions()],
            ahead: vec![Vec::new(); slots.partitions()],
            committed: PositionRules::new(slots.clone()),
            positions: vec![Vec::new(); slots.count()],
            in_hand: vec![Vec::new(); slots.count()],
            letting_go: vec![false; slots.cast().client_group.len()],
            zombie_overlaps: 0,
            slots,
        }
    }

    pub fn group_of(&self, client: ClientId) -> GroupId {
        self.slots.group_of(client)
    }

    pub fn appended(&mut self, event: &TraceEvent, findings: &mut Findings) {
        let TraceEvent::Appended { partition, first, per_batch, batches, created, delay, .. } = event else { return };
        let (index, shape) = (self.slots.cast().index(*partition), (*batches, u64::from(*per_batch)));
        let records = shape.0 * shape.1;
        let end = self.appended[index];
        findings.expect(*first == end, || format!("{partition:?}: {first} was appended at the end {end}"));
        let visible = visible_by(findings.now, shape, created, *delay);
        findings.expect(visible == records, || format!("{partition:?}: only {visible} of {records} records from {first} on are visible"));
        self.appended[index] = *first + records;
        self.catch_up(index, (*first, shape), created, *delay, findings);
    }

    /// Commits that were ahead of what had been told were right if the records had been visible at that time.
    fn catch_up(&mut self, index: usize, told: (Offset, (u64, u64)), created: &Created, delay: Span, findings: &mut Findings) {
        let ((first, shape), end) = (told, self.appended[index]);
        self.ahead[index].retain(|(at, offset)| {
            if *offset > end {
                return true;
            }
            let visible = first + visible_by(*at, shape, created, delay);
            findings.expect(*offset <= visible, || {
                format!("partition number {index}: {offset} was committed at {at}, above the high watermark {visible}")
            });
            false
        });
    }

    pub fn committed(&mut self, group: GroupId, partition: TopicPartition, offset: Offset, findings: &Findings) {
        self.committed.committed(group, partition, offset);
        let index = self.slots.cast().index(partition);
        if offset > self.appended[index] {
            self.ahead[index].push((findings.now, offset));
        }
    }

    pub fn assigned(
        &mut self,
        ownership: &Ownership,
        group: &GroupRules,
        (member, generation): (MemberId, i32),
        partitions: &[TopicPartition],
        findings: &mut Findings,
    ) {
        for partition in partitions {
            findings.expect(group.was_given(member, generation, *partition), || {
                format!("{member:?} took {partition:?}, which generation {generation} did not give to it")
            });
            let slot = self.slots.of(member.client, *partition);
            self.positions[slot].retain(|(client, _)| *client != member.client);
            for other in ownership.holds(slot).iter().rev().filter(|hold| hold.to.is_none() && hold.client != member.client) {
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
        ownership: &Ownership,
        group: &GroupRules,
        generation: i32,
        assigned: &[(MemberId, Box<[TopicPartition]>)],
        findings: &mut Findings,
    ) {
        if !group.is_at(generation) {
            return;
        }
        for (member, partition) in assigned.iter().flat_map(|(member, partitions)| partitions.iter().map(move |p| (member, p))) {
            let holds = ownership.holds(self.slots.of(member.client, *partition)).iter().rev();
            let is_held = |hold: &&Hold| hold.to.is_none() && hold.undone.is_none() && hold.client != member.client;
            if let Some(hold) = holds.filter(is_held).find(|hold| group.is_in_current_generation(hold.member)) {
                let owner = hold.member;
                findings.expect(false, || format!("generation {generation} gives {partition:?} to {member:?} while {owner:?} has it"));
            }
        }
    }

    pub fn expired(&mut self, group: GroupId, partition: TopicPartition) {
        self.committed.expired(group, partition);
    }

    pub fn deleted(&mut self, group: GroupId) {
        self.committed.deleted(group);
    }

    pub fn position_set(&mut self, ownership: &Ownership, event: &TraceEvent, findings: &mut Findings) {
        let TraceEvent::PositionSet { client, partition, offset, source } = *event else { return };
        // A zombie does not know yet that it is out, and may get an answer that was true before others committed.
        let hold = ownership.holds(self.slots.of(client, partition)).iter().rev().find(|hold| hold.client == client);
        if hold.is_none_or(|hold| hold.undone.is_none()) {
            self.committed.position_set(client, partition, (offset, source), findings);
        }
        let positions = &mut self.positions[self.slots.of(client, partition)];
        match positions.iter_mut().find(|(other, _)| *other == client) {
            Some((_, position)) => *position = offset,
            None => positions.push((client, offset)),
        }
    }

    pub fn membership_lost(&mut self, client: ClientId) {
        self.letting_go[client.index()] = true;
    }

    /// onPartitionsLost was called, or all begins anew.
    pub fn let_go(&mut self, client: ClientId) {
        self.letting_go[client.index()] = false;
    }

    #[inline]
    fn may_read(&self, ownership: &Ownership, slot: usize, client: ClientId) -> bool {
        let had_it = || ownership.holds(slot).iter().any(|hold| hold.client == client);
        ownership.is_held_by(slot, client) || self.letting_go[client.index()] && had_it()
    }

    pub fn fetch_started(&self, ownership: &Ownership, client: ClientId, partition: TopicPartition, findings: &mut Findings) {
        let is_owner = self.may_read(ownership, self.slots.of(client, partition), client);
        findings.expect(is_owner, || format!("{client:?} fetches {partition:?}, which it does not have"));
    }

    pub fn polled(
        &mut self,
        ownership: &Ownership,
        client: ClientId,
        partition: TopicPartition,
        offsets: OffsetRange,
        findings: &mut Findings,
    ) {
        let slot = self.slots.of(client, partition);
        let is_owner = self.may_read(ownership, slot, client);
        findings.expect(is_owner, || format!("{client:?} polled {offsets:?} of {partition:?}, which it does not have"));
        let end = self.appended[self.slots.cast().index(partition)];
        findings.expect(offsets.to <= end, || format!("{client:?} polled {offsets:?} of {partition:?}, which ends at {end}"));
        match self.positions[slot].iter_mut().find(|(other, _)| *other == client) {
            Some((_, position)) => {
                findings.expect(*position == offsets.from, || format!("{client:?} polled {offsets:?} of {partition:?} at {position}"));
                *position = offsets.to;
            }
            None => findings.expect(false, || format!("{client:?} polled {offsets:?} of {partition:?} without a position")),
        }
        self.in_hand[slot].push((client, offsets));
    }

    pub fn processed(&mut self, event: &TraceEvent, findings: &mut Findings) {
        let TraceEvent::Processed { client, partition, offsets, finished, .. } = event else { return };
        if !offsets.is_empty() {
            let last = finished.at(offsets.len() - 1);
            findings.expect(last <= findings.now, || format!("{client:?} finished {offsets:?} of {partition:?} later, at {last}"));
        }
        let was_in_hand = self.put_down(*client, *partition, *offsets);
        findings.expect(was_in_hand, || format!("{client:?} processed {offsets:?} of {partition:?} without having them in hand"));
    }

    pub fn dropped(&mut self, client: ClientId, partition: TopicPartition, offsets: OffsetRange, findings: &mut Findings) {
        let was_in_hand = self.put_down(client, partition, offsets);
        findings.expect(was_in_hand, || format!("{client:?} dropped {offsets:?} of {partition:?} without having them in hand"));
    }

    /// Whatever the last life of this client had is gone.
    pub fn started(&mut self, client: ClientId) {
        for (_, slot) in self.slots.of_group(self.slots.group_of(client)) {
            self.in_hand[slot].retain(|(holder, _)| *holder != client);
            self.positions[slot].retain(|(other, _)| *other != client);
        }
    }

    pub fn ended(&self, findings: &mut Findings) {
        for (index, commits) in self.ahead.iter().enumerate() {
            let end = self.appended[index];
            for (at, offset) in commits {
                findings.expect(false, || format!("partition number {index}: {offset} was committed at {at}, and it ends at {end}"));
            }
        }
    }

    /// Whether all of them were in hand. They are taken in the order in which they were polled.
    fn put_down(&mut self, client: ClientId, partition: TopicPartition, mut offsets: OffsetRange) -> bool {
        let in_hand = &mut self.in_hand[self.slots.of(client, partition)];
        while !offsets.is_empty() {
            let Some(i) = in_hand.iter().position(|(holder, held)| *holder == client && held.from == offsets.from) else { return false };
            let held = &mut in_hand[i].1;
            let part = held.to.min(offsets.to);
            (held.from, offsets.from) = (part, part);
            if held.is_empty() {
                in_hand.remove(i);
            }
        }
        true
    }
}
