//! Where to read from: committed offsets, auto.offset.reset, and the validation of a committed position (OffsetFetcher).
//!
//! Not modelled: leader epochs. A committed offset above 0 counts as stored with one (its committer consumed something), so it is validated;
//! a re-commit of a position found by `latest` that never consumed anything is validated here and is not in Kafka (2 L more).

use super::{App, Consumer, ConsumerEffects, ConsumerTimer, OffsetReset};
use crate::client::fetcher::Phase;
use crate::client::membership::CallKind;
use crate::kafka::message::{FetchedOffset, GroupRequest, OffsetFetch, OffsetFetchAnswer};
use crate::kafka::request::Request;
use crate::terms::{ErrorCode, FatalError, PositionSource};
use crate::trace::TraceEvent;
use crate::units::{BrokerId, Instant, Offset, TopicPartition};

impl Consumer {
    /// Validates, asks for committed offsets (blocking poll() until they are there), and resets what has none.
    #[inline(always)]
    pub(super) fn update_positions(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        if !self.fetcher.has_all_positions() {
            self.find_positions(now, fx);
        }
    }

    fn find_positions(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.ask_leaders(now, fx, |phase| match phase {
            Phase::AwaitValidation { asked } => !std::mem::replace(asked, true),
            Phase::Initializing | Phase::AwaitReset { .. } | Phase::Fetching => false,
        });
        let unknown: Vec<TopicPartition> =
            self.fetcher.owned().iter().filter(|owned| owned.phase == Phase::Initializing).map(|owned| owned.partition).collect();
        if !unknown.is_empty() {
            let epoch = if self.speaks_consumer_protocol() { self.membership.generation } else { -1 };
            let request = GroupRequest::OffsetFetch(OffsetFetch {
                // A classic member asks as nobody, and so does a KIP-848 member without an epoch.
                member: self.membership.member.filter(|_| epoch > 0),
                member_epoch: epoch,
                require_stable: true,
                partitions: Some(unknown),
            });
            self.app = App::AwaitingOffsets;
            self.call_coordinator(now, CallKind::OffsetFetch, request, fx);
            return;
        }
        self.reset_positions(now, fx);
    }

    fn reset_positions(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        self.ask_leaders(now, fx, |phase| match phase {
            Phase::AwaitReset { asked } => !std::mem::replace(asked, true),
            Phase::Initializing | Phase::AwaitValidation { .. } | Phase::Fetching => false,
        });
    }

    /// One request to each leader for the partitions that `due` picks (and marks as asked for): ListOffsets or OffsetsForLeaderEpoch.
    fn ask_leaders(&mut self, now: Instant, fx: &mut ConsumerEffects, due: impl Fn(&mut Phase) -> bool) {
        for broker in (0..self.config.brokers).map(BrokerId) {
            if !self.links.may_be_asked(now, broker) {
                continue;
            }
            let mut validates = false;
            let mut partitions = Vec::new();
            for owned in self.fetcher.owned_mut().iter_mut().filter(|owned| owned.leader == Some(broker)) {
                if due(&mut owned.phase) {
                    validates = matches!(owned.phase, Phase::AwaitValidation { .. });
                    partitions.push(owned.partition);
                }
            }
            if partitions.is_empty() {
                continue;
            }
            let request = if validates {
                Request::OffsetsForLeaderEpoch { partitions }
            } else {
                Request::ListOffsets { latest: self.config.reset == OffsetReset::Latest, partitions }
            };
            self.ask_leader(now, broker, request, fx);
        }
    }

    /// The committed offsets are there: positions, resets, and on with the iteration that waited for them.
    pub(super) fn on_offsets_fetched(&mut self, now: Instant, answer: &OffsetFetchAnswer, fx: &mut ConsumerEffects) {
        self.membership.answered(|kind| kind == CallKind::OffsetFetch);
        if !matches!(self.app, App::AwaitingOffsets) {
            return;
        }
        self.app = App::Idle;
        if matches!(answer.error, ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable) {
            self.forget_coordinator(now, fx);
        }
        if answer.error != ErrorCode::None {
            fx.wake(now + self.config.retry_backoff, ConsumerTimer::Retry);
            return;
        }
        for (partition, offset) in &answer.offsets {
            let Some(owned) = self.fetcher.find_mut(*partition).filter(|owned| owned.phase == Phase::Initializing) else { continue };
            match offset {
                FetchedOffset::Committed(offset) => {
                    owned.position = *offset;
                    let validated = !self.config.validate_positions || *offset == Offset(0);
                    owned.phase = if validated { Phase::Fetching } else { Phase::AwaitValidation { asked: false } };
                    self.tell_position(*partition, *offset, PositionSource::Committed, fx);
                }
                FetchedOffset::Nothing if self.config.reset == OffsetReset::None => {
                    self.fail(now, FatalError::NoOffsetForPartition, fx);
                    return;
                }
                FetchedOffset::Nothing => owned.phase = Phase::AwaitReset { asked: false },
                FetchedOffset::Unstable => {}
            }
        }
        self.reset_positions(now, fx);
        self.collect_or_fetch(now, fx);
    }

    pub(super) fn on_reset_offsets(&mut self, latest: bool, offsets: &[(TopicPartition, Offset)], fx: &mut ConsumerEffects) {
        let source = if latest { PositionSource::ResetLatest } else { PositionSource::ResetEarliest };
        for (partition, offset) in offsets {
            let Some(owned) = self.fetcher.find_mut(*partition) else { continue };
            if owned.phase == (Phase::AwaitReset { asked: true }) {
                owned.position = *offset;
                owned.phase = Phase::Fetching;
                self.tell_position(*partition, *offset, source, fx);
            }
        }
    }

    pub(super) fn on_validated(&mut self, partitions: &[TopicPartition], _fx: &mut ConsumerEffects) {
        for partition in partitions {
            if let Some(owned) = self.fetcher.find_mut(*partition)
                && owned.phase == (Phase::AwaitValidation { asked: true })
            {
                owned.phase = Phase::Fetching;
            }
        }
    }

    fn tell_position(&self, partition: TopicPartition, offset: Offset, source: PositionSource, fx: &mut ConsumerEffects) {
        fx.emit(TraceEvent::PositionSet { client: self.config.client, partition, offset, source });
    }
}
