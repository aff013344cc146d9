//! Which assignor a group prefers: the one that most of its members name, of those who name any.
//!
//! With a tie Kafka's answer hangs on its maps, and these hold names and no random ids, so it is computed here. The group's own map meets
//! `uniform` before `range`. For a heartbeat it is copied into a java.util.HashMap of two or four buckets, in which both names fall into one; the
//! member's old vote is taken out there and its new one put in, and a name that is put in anew stands first in its bucket. So with a tie the
//! single voter of an assignor finds its own preferred. Origin: ConsumerGroup#preferredServerAssignor, #computePreferredServerAssignor.

use crate::kafka::assignor::server::ServerAssignor;
use crate::kafka::group::consumer::ConsumerGroup;

/// In the order in which Kafka meets the assignors; only those with votes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Votes(Vec<(ServerAssignor, usize)>);

impl ConsumerGroup {
    pub(super) fn votes(&self) -> Votes {
        let count = |assignor: ServerAssignor| self.members.values().filter(|member| member.assignor == Some(assignor)).count();
        let all = [ServerAssignor::Uniform, ServerAssignor::Range].map(|assignor| (assignor, count(assignor)));
        Votes(all.into_iter().filter(|(_, votes)| *votes > 0).collect())
    }
}

impl Votes {
    /// Of several with the most votes the first.
    pub(super) fn preferred(&self) -> Option<ServerAssignor> {
        let most = self.0.iter().map(|(_, votes)| *votes).max()?;
        self.0.iter().find(|(_, votes)| *votes == most).map(|(assignor, _)| *assignor)
    }

    /// A member's vote, perhaps for the same as before.
    pub(super) fn replace(&mut self, old: Option<ServerAssignor>, new: Option<ServerAssignor>) {
        if let Some((_, votes)) = self.of(old) {
            *votes -= 1;
        }
        self.0.retain(|(_, votes)| *votes > 0);
        match (self.of(new), new) {
            (Some((_, votes)), _) => *votes += 1,
            (None, Some(assignor)) => self.0.insert(0, (assignor, 1)),
            (None, None) => {}
        }
    }

    fn of(&mut self, wanted: Option<ServerAssignor>) -> Option<&mut (ServerAssignor, usize)> {
        self.0.iter_mut().find(|(assignor, _)| Some(*assignor) == wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ServerAssignor::{Range, Uniform};

    #[test]
    fn the_single_voter_of_an_assignor_finds_its_own_preferred_in_a_tie() {
        let tie = Votes(vec![(Uniform, 1), (Range, 1)]);
        assert_eq!(tie.preferred(), Some(Uniform));
        let heard = |voter| {
            let mut votes = tie.clone();
            votes.replace(voter, voter);
            votes.preferred()
        };
        assert_eq!(heard(None), Some(Uniform));
        assert_eq!(heard(Some(Uniform)), Some(Uniform));
        assert_eq!(heard(Some(Range)), Some(Range));
    }

    #[test]
    fn one_voter_of_several_changes_nothing() {
        let mut votes = Votes(vec![(Uniform, 2), (Range, 2)]);
        votes.replace(Some(Range), Some(Range));
        assert_eq!(votes.preferred(), Some(Uniform));
        votes.replace(Some(Uniform), Some(Range));
        assert_eq!(votes.preferred(), Some(Range));
        assert_eq!(Votes(Vec::new()).preferred(), None);
    }
}
