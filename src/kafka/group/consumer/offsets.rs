//! Which commits and fetches of offsets a KIP-848 group takes.
//!
//! Origin: ConsumerGroup#validateOffsetCommit, #validateOffsetFetch, #validateMemberEpoch; KIP-1251.

use crate::kafka::group::consumer::{ConsumerGroup, Member};
use crate::kafka::message::OffsetFetch;
use crate::kafka::release::consumer::ConsumerSwitches;
use crate::terms::ErrorCode;
use crate::units::{InstanceId, MemberId, TopicPartition};

/// The first version of OffsetCommit that knows member epochs.
const MEMBER_EPOCH_VERSION: u16 = 9;
/// The first version that names topics by their ids, without which nobody knows since when the member has a partition.
const TOPIC_ID_VERSION: u16 = 10;

/// Who commits, and how.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Committer {
    pub member: Option<MemberId>,
    pub instance: Option<InstanceId>,
    pub epoch: i32,
    /// Of a plain OffsetCommit; `None` in a transaction.
    pub version: Option<u16>,
}

impl ConsumerGroup {
    /// Whether the partitions are the committer's is not asked, unless it comes with an epoch that is past.
    pub fn validate_commit(
        &self,
        committer: Committer,
        partitions: impl Iterator<Item = TopicPartition>,
        switches: &ConsumerSwitches,
    ) -> Result<(), ErrorCode> {
        let Committer { member, instance, epoch, version } = committer;
        if epoch < 0 && self.members.is_empty() {
            return Ok(());
        }
        if version.is_none() && epoch == -1 && member.is_none() && instance.is_none() {
            return Ok(());
        }
        let member = self.member(member.ok_or(ErrorCode::UnknownMemberId)?)?;
        if member.classic.is_none() && version.is_some_and(|version| version < MEMBER_EPOCH_VERSION) {
            return Err(ErrorCode::UnsupportedVersion);
        }
        let known = member.holding.epoch;
        let tells_topics = version.is_none_or(|version| version >= TOPIC_ID_VERSION);
        let may_be_older = switches.commits_at_older_epochs && tells_topics;
        if epoch == known || epoch < known && may_be_older && member.has_had(partitions, epoch) {
            Ok(())
        } else {
            Err(member.stale_epoch())
        }
    }

    pub fn validate_fetch(&self, fetch: &OffsetFetch) -> Result<(), ErrorCode> {
        if fetch.member.is_none() && fetch.member_epoch < 0 {
            return Ok(());
        }
        let member = self.member(fetch.member.ok_or(ErrorCode::UnknownMemberId)?)?;
        if fetch.member_epoch == member.holding.epoch { Ok(()) } else { Err(member.stale_epoch()) }
    }
}

impl Member {
    /// It holds all of these since this epoch or longer.
    fn has_had(&self, mut partitions: impl Iterator<Item = TopicPartition>, epoch: i32) -> bool {
        let held = &self.holding;
        partitions.all(|at| held.assigned.get(&at).or(held.pending_revocation.get(&at)).is_some_and(|since| *since <= epoch))
    }

    pub(super) fn stale_epoch(&self) -> ErrorCode {
        if self.classic.is_some() { ErrorCode::IllegalGeneration } else { ErrorCode::StaleMemberEpoch }
    }
}
