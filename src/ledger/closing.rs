//! Closing the books: from pages to accounts.

use super::page::{Page, Repeat};
use super::{Account, Duplicate, DuplicateCause, Ledger, Loss, LossCause, Skip};
use crate::fold::Known;
use crate::ownership::{self, Hold, Undoing};
use crate::ranges::RangeMap;
use crate::trace::Cast;
use crate::units::{ClientId, GroupId, Instant, Offset, OffsetRange, TopicPartition};

impl Ledger {
    pub(super) fn close(&self, known: &Known, group: GroupId) -> Account {
        let mut account = Account::default();
        let mut appended = 0;
        for (partition, slot) in known.slots.of_group(group) {
            let end = self.appended[known.slots.cast().index(partition)];
            appended += end.0;
            self.count_processed(&mut account, partition, slot, known.ownership.holds(slot));
            self.count_unprocessed(&mut account, (group, partition), slot, end, known.deliveries.left(slot));
        }
        account.duplicates.sort_by_key(|duplicate| duplicate.again.1);
        account.produced = self.produced(known.slots.cast(), group);
        let never_appended = account.produced.checked_sub(appended);
        account.unsettled += never_appended.unwrap_or_else(|| panic!("group {}: more records in its topics than were sent", group.0));
        let sum = account.processed_once + account.duplicated + account.lost + account.skipped + account.deleted + account.unsettled;
        assert_eq!(account.produced, sum, "group {}: every produced record has exactly one fate", group.0);
        account
    }

    /// Of all producers of the group's topics. A trace that ends before its run phase does not tell what was sent, only what arrived.
    fn produced(&self, cast: &Cast, group: GroupId) -> u64 {
        let topics = &cast.group_topics[group.index()];
        let producers = self.producers.iter().zip(&cast.producer_topic).filter(|(_, topic)| topics.contains(topic));
        producers.map(|(producer, _)| producer.sent.unwrap_or(producer.appended)).sum()
    }

    fn count_processed(&self, account: &mut Account, partition: TopicPartition, slot: usize, holds: &[Hold]) {
        let page = &self.pages[slot];
        for (range, processing) in page.processings() {
            if processing.times == 1 {
                account.processed_once += range.len();
            } else {
                account.duplicated += range.len();
                account.extra += range.len() * u64::from(processing.times - 1);
            }
        }
        account.duplicates.extend(page.repeats.iter().map(|repeat| {
            let (cause, undone) = cause(repeat, holds);
            Duplicate {
                partition,
                offsets: repeat.offsets,
                before: (repeat.before.0.by.client, repeat.before.1),
                again: (repeat.again.0.by.client, repeat.again.1),
                cause,
                undone,
                zombie: repeat.late,
            }
        }));
    }

    /// `in_hand`: what somebody would have gone on with.
    fn count_unprocessed(
        &self,
        account: &mut Account,
        (group, partition): (GroupId, TopicPartition),
        slot: usize,
        end: Offset,
        in_hand: &[OffsetRange],
    ) {
        let page = &self.pages[slot];
        let mut kept = RangeMap::default();
        in_hand.iter().for_each(|range| kept.set(*range, ()));
        let deleted = self.deleted[partition.topic.index()];
        // Passed by the committed offset, or by everybody: nobody will come back.
        let passed = if self.drained && !deleted { end } else { page.committed.unwrap_or(Offset(0)) };
        for gap in page.unprocessed(OffsetRange::new(Offset(0), end)) {
            for (range, skip) in page.skipped.pieces(gap) {
                if let Some((by, at)) = skip {
                    account.skipped += range.len();
                    account.skips.push(Skip { group, partition, offsets: range, by: *by, at: *at });
                    continue;
                }
                let border = passed.clamp(range.from, range.to);
                let gone = kept.pieces(OffsetRange::new(range.from, border)).filter(|(_, kept)| kept.is_none());
                let gone: Vec<OffsetRange> = gone.map(|(lost, _)| lost).collect();
                let lost = gone.iter().map(|lost| lost.len()).sum::<u64>();
                account.lost += lost;
                let left = if deleted { &mut account.deleted } else { &mut account.unsettled };
                *left += range.len() - lost;
                gone.into_iter().for_each(|lost| self.list_losses(account, partition, page, lost));
            }
        }
    }

    fn list_losses(&self, account: &mut Account, partition: TopicPartition, page: &Page, lost: OffsetRange) {
        for (range, cover) in page.covered.pieces(lost) {
            let committed_by = cover.and_then(|(by, at)| by.map(|client| (client, *at)));
            for (offsets, drop) in page.dropped.pieces(range) {
                let cause = drop.map_or(LossCause::CommittedUnread, |(client, at)| self.loss_cause(*client, *at));
                account.losses.push(Loss { partition, offsets, committed_by, cause });
            }
        }
    }

    fn loss_cause(&self, client: ClientId, at: Instant) -> LossCause {
        if self.crashes[client.index()].contains(&at) { LossCause::CommittedThenCrashed(at) } else { LossCause::CommittedThenGivenUp(at) }
    }
}

/// What undid the earlier of the two holds, and whose it was. Which of them processed first does not matter: a zombie may still be at work while the next
/// owner overtakes it.
fn cause(repeat: &Repeat, holds: &[Hold]) -> (DuplicateCause, ClientId) {
    if let Some((by, at)) = repeat.taken_back {
        return (DuplicateCause::CommitWentBack(at), by);
    }
    let rewound = (DuplicateCause::Rewound(repeat.position_set), repeat.again.0.by.client);
    let (Some(previous), Some(again)) = (repeat.before.0.hold, repeat.again.0.hold) else { return rewound };
    if previous == again {
        return rewound;
    }
    let (undoing, at) = ownership::undoing(holds, previous, again);
    let cause = match undoing {
        Undoing::Crashed => DuplicateCause::Crashed(at),
        Undoing::Closed => DuplicateCause::Stopped(at),
        Undoing::PollIntervalExceeded => DuplicateCause::PollIntervalExceeded(at),
        Undoing::Removed(reason) => DuplicateCause::Removed(reason, at),
        Undoing::Revoked => DuplicateCause::Revoked(at),
        Undoing::Replaced => DuplicateCause::Replaced(at),
    };
    (cause, holds[previous.min(again)].client)
}
