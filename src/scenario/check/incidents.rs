//! Expectations about what befalls members: names resolved, words turned into reasons.

use super::super::expectation::{Check, IncidentQuestion, Members, Removal};
use super::super::file::expect::ExpectFile;
use super::super::file::incidents::{CommitExceptionFile, FatalExceptionFile, IncidentBounds, IncidentsFile, RemovalFile};
use super::timeline::Stage;
use super::{Checker, Site};
use crate::terms::{CommitFailure, FatalError, RemovalReason};
use crate::units::GroupId;

impl Checker<'_> {
    /// `site` is the expectation, `place` the fact in it.
    pub fn incidents(&mut self, written: &ExpectFile, site: Site<'_>, place: Site<'_>, stage: &Stage<'_>) -> Option<Check> {
        let ExpectFile { removed, commits_failed, failed, .. } = written;
        if let Some(removed) = removed {
            self.counted(removed, |why| IncidentQuestion::Removed(why.map(removal)), written, site, place, stage)
        } else if let Some(failed) = commits_failed {
            self.counted(failed, |why| IncidentQuestion::CommitFailed(why.map(commit_failure)), written, site, place, stage)
        } else {
            self.counted(failed.as_ref()?, |why| IncidentQuestion::Failed(why.map(fatal_error)), written, site, place, stage)
        }
    }

    fn counted<W: Copy>(
        &mut self,
        incidents: &IncidentsFile<W>,
        question: impl Fn(Option<W>) -> IncidentQuestion,
        written: &ExpectFile,
        site: Site<'_>,
        place: Site<'_>,
        stage: &Stage<'_>,
    ) -> Option<Check> {
        let nobody = |exactly| IncidentBounds { group: None, member: None, why: None, exactly, at_least: None, at_most: None };
        let plain;
        let asked = match incidents {
            IncidentsFile::Exactly(count) => {
                plain = nobody(Some(*count));
                &plain
            }
            IncidentsFile::Bounds(bounds) => bounds,
        };
        let bounds = self.bounds(asked.exactly, asked.at_least, asked.at_most, written, place)?;
        let period = self.period(written, site, stage);
        let of = self.whose(asked.group.as_deref(), asked.member.as_deref(), place, stage)?;
        Some(Check::Incidents { of, kind: question(asked.why), period, bounds })
    }

    /// A member is called by its name alone where it is clear whose it is.
    fn whose(&mut self, group: Option<&str>, member: Option<&str>, place: Site<'_>, stage: &Stage<'_>) -> Option<Members> {
        let named = self.group(group, place.child("group"), stage)?;
        let Some(member) = member else { return Some(Members { group: named, client: None }) };
        let full = match named.or(stage.groups.only().map(GroupId)) {
            Some(group) if !member.contains('/') => format!("{}/{member}", stage.groups.name(group.index())),
            Some(_) | None => member.to_owned(),
        };
        let client = self.member(&full, place.child("member").value(), stage)?;
        let its_group = stage.cast.clients[client.index()].group;
        if named.is_some_and(|group| group != its_group) {
            self.error(place.child("member").value(), format!("`{member}` is no member of that group"));
        }
        Some(Members { group: Some(its_group), client: Some(client) })
    }
}

fn removal(why: RemovalFile) -> Removal {
    let reason = match why {
        RemovalFile::Left => RemovalReason::Left,
        RemovalFile::SessionExpired => RemovalReason::SessionExpired,
        RemovalFile::NewMemberTimedOut => RemovalReason::NewMemberTimedOut,
        RemovalFile::JoinTimedOut => RemovalReason::JoinTimedOut,
        RemovalFile::SyncTimedOut => RemovalReason::SyncTimedOut,
        RemovalFile::GroupFull => RemovalReason::GroupFull,
        RemovalFile::RevocationTimedOut => RemovalReason::RevocationTimedOut,
        RemovalFile::Forgotten => RemovalReason::Forgotten,
        RemovalFile::Pending => return Removal::Pending,
    };
    Removal::Member(reason)
}

fn commit_failure(why: CommitExceptionFile) -> CommitFailure {
    match why {
        CommitExceptionFile::CommitFailedException => CommitFailure::NotAMember,
        CommitExceptionFile::RebalanceInProgressException => CommitFailure::RebalanceInProgress,
        CommitExceptionFile::FencedInstanceIdException => CommitFailure::Fenced,
        CommitExceptionFile::RetriableCommitFailedException => CommitFailure::Retriable,
        CommitExceptionFile::TimeoutException => CommitFailure::TimedOut,
        CommitExceptionFile::StaleMemberEpochException => CommitFailure::StaleEpoch,
    }
}

fn fatal_error(why: FatalExceptionFile) -> FatalError {
    match why {
        FatalExceptionFile::FencedInstanceIdException => FatalError::FencedInstanceId,
        FatalExceptionFile::InconsistentGroupProtocolException => FatalError::InconsistentGroupProtocol,
        FatalExceptionFile::InvalidSessionTimeoutException => FatalError::InvalidSessionTimeout,
        FatalExceptionFile::GroupMaxSizeReachedException => FatalError::GroupMaxSizeReached,
        FatalExceptionFile::NoOffsetForPartitionException => FatalError::NoOffsetForPartition,
        FatalExceptionFile::UnreleasedInstanceIdException => FatalError::UnreleasedInstanceId,
        FatalExceptionFile::UnsupportedAssignorException => FatalError::UnsupportedAssignor,
        FatalExceptionFile::GroupIdNotFoundException => FatalError::GroupIdNotFound,
        FatalExceptionFile::UnsupportedVersionException => FatalError::UnsupportedVersion,
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::load;

    /// What is wrong with these expectations of a run of ten minutes with the groups billing (A) and audit (B).
    fn problems(expect: &str) -> Vec<String> {
        let groups = "groups: {billing: {topics: [orders], members: [A]}, audit: {topics: [orders], members: [B]}}";
        let text = format!("duration: 10m\ntopics: {{orders: 6}}\n{groups}\nexpect: [{expect}]\n");
        let found = load(&text, "demo.yaml").map_or_else(|problems| problems.list, |_| Vec::new());
        found.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn incidents_are_asked_for_by_group_member_reason_and_time() {
        assert!(problems("{removed: 0}, {failed: {at.most: 1}}, {commits.failed: {group: billing, at.least: 1}}").is_empty());
        assert!(problems("{removed: {member: audit/B, why: pending, exactly: 1}, after: 1m, before: 2m}").is_empty());
        assert!(problems("{failed: {group: audit, member: B, why: FencedInstanceIdException, exactly: 1}}").is_empty());
        assert_eq!(problems("{removed: {member: B, exactly: 1}}"), ["`B` does not say of which group"]);
        assert_eq!(problems("{removed: {group: billing, member: audit/B, exactly: 1}}"), ["`audit/B` is no member of that group"]);
        assert_eq!(problems("{removed: {why: session-expires, exactly: 1}}"), ["`session-expires` is not known here"]);
        assert_eq!(problems("{commits.failed: {why: session-expired, exactly: 1}}"), ["`session-expired` is not known here"]);
        assert_eq!(problems("{failed: {member: billing/A}}"), ["no number is given"]);
        assert_eq!(problems("{failed: -1}"), ["`-1` is not a whole number, zero or above"]);
        assert_eq!(problems("{removed: 1, within: 1%}"), ["`within` means nothing with `removed`"]);
        assert_eq!(problems("{removed: 1, at: end}"), ["`at` means nothing with `removed`"]);
    }

    #[test]
    fn a_period_begins_before_it_ends_and_lies_in_the_run() {
        assert!(problems("{rebalances: 3, after: 1m}, {unavailable: {exactly: 5s}, before: 1m}").is_empty());
        assert_eq!(problems("{rebalances: 3, after: 2m, before: 2m}"), ["nothing is `after` and `before`"]);
        assert_eq!(problems("{unavailable: {at.most: 5s}, before: 11m}"), ["at 11m the run phase is over"]);
        assert_eq!(problems("{lost: 0, before: 5s}"), ["`before` means nothing with `lost`"]);
        assert_eq!(problems("{lag: 0, before: 5s}"), ["`before` means nothing with `lag`"]);
    }
}
