//! What Kafka promises to a group that keeps to its side: no loss if commits follow the processing, no duplicates if nobody fails.

use groupsim::scenario::{AutoOffsetReset, Client, Commit, Distribution, Scenario};
use groupsim::terms::GroupProtocol;
use groupsim::trace::TraceEvent;
use groupsim::trace::ending::Ending;
use groupsim::trace::fault::Fault;
use groupsim::units::ClientId;

use crate::Played;

pub fn are_kept(played: &Played) {
    for (group, account) in played.run.accounts.iter().enumerate() {
        let all = |which: fn(&Client) -> bool| members(played, group).all(|(_, client)| which(client));
        let commits_all = || members(played, group).all(|(at, client)| commits_what_it_did(&played.scenario, at, client));
        let earliest = all(|client| client.config.auto_offset_reset == AutoOffsetReset::Earliest);
        if earliest {
            assert_eq!(account.skipped, 0, "group {group}: nothing is skipped with earliest");
        }
        let covers_too_much = |client: &Client| match client.commit {
            Commit::BeforeProcessing => true,
            Commit::Auto => played.scenario.model.commit_race,
            Commit::Sync | Commit::Async | Commit::Every(_) | Commit::External => false,
        };
        if earliest && !members(played, group).any(|(_, client)| covers_too_much(client)) {
            assert_eq!(account.lost, 0, "group {group}: what is committed has been processed");
        }
        if !is_disturbed(played, group) && commits_all() {
            assert_eq!(account.extra, 0, "group {group}: duplicates without any disturbance: {:?}", account.duplicates.first());
        }
        if !fails_to_commit(played, group) && all(|client| client.commit == Commit::BeforeProcessing) {
            assert_eq!(account.extra, 0, "group {group}: at most once: {:?}", account.duplicates.first());
        }
    }
}

/// Somebody always runs and has time, so everything is read in the end. It is not always committed, for nobody repeats a commit that failed:
/// commitAsync() may come faster than the coordinator answers, until heartbeats get lost among commits; and a cooperative member that reads
/// while it waits for the others cannot commit what it reads; and a commitSync() of a KIP-848 member fails if its epoch moves meanwhile, or of
/// a classic one if its group is downgraded to a generation that it does not have. And what a static cooperative member gave up stays with
/// nobody if it is restarted before it has rejoined for that: its next life gets what it kept, and nobody rebalances. And who commits by name
/// what it had to give up unasked takes the committed offset back.
pub fn calm_runs_drain(played: &Played) {
    let Played { run, .. } = played;
    let may_fail = |at: usize, client: &Client| match client.commit {
        Commit::Async => true,
        Commit::Sync | Commit::Every(_) | Commit::BeforeProcessing => {
            // With a Pareto latency anybody may be put out for a message that took too long, and its commit with it.
            let is_safe = !matches!(played.scenario.cluster.latency, Distribution::Pareto { .. });
            !is_safe || is_cooperative(&played.scenario, at) || played.scenario.speaks(client.group, GroupProtocol::Consumer)
        }
        Commit::Auto | Commit::External => false,
    };
    let fails = |group: usize| members(played, group).any(|(at, client)| may_fail(at, client)) && fails_to_commit(played, group);
    let is_orphaned = |group: usize| members(played, group).any(|(at, client)| client.instance.is_some() && gives_up_and_stops(played, at));
    let goes_back = |group: usize| {
        members(played, group).any(|(_, client)| matches!(client.commit, Commit::Every(_)) && is_not_asked(&played.scenario, client))
    };
    let is_excused = (0..run.accounts.len()).any(|group| fails(group) || is_orphaned(group) || goes_back(group));
    assert!(is_excused || run.ending == Ending::Drained, "{:?}: {:?}", run.ending, run.accounts);
    for (group, account) in run.accounts.iter().enumerate() {
        assert_eq!(account.lost, 0, "group {group}");
        if is_orphaned(group) {
            continue;
        }
        assert_eq!(account.unsettled, 0, "group {group}");
        assert_eq!(run.measurements.groups[group].final_lag, 0, "group {group}");
    }
}

/// A cooperative member gave partitions up in a rebalance, and was stopped before it asked for the next one, in which somebody gets them. While
/// it stops it gives up the rest, too; only what a rebalance takes is followed by what the rebalance gives.
fn gives_up_and_stops(played: &Played, at: usize) -> bool {
    let (mut owes_a_join, mut gave_up) = (false, false);
    is_cooperative(&played.scenario, at)
        && played.trace.iter().any(|(_, event)| {
            match event {
                TraceEvent::Revoked { client, .. } if client.index() == at => gave_up = true,
                TraceEvent::Assigned { client, .. } if client.index() == at => owes_a_join |= std::mem::take(&mut gave_up),
                TraceEvent::JoinSent { client, .. } if client.index() == at => (owes_a_join, gave_up) = (false, false),
                TraceEvent::ClientStopped { client, .. } if client.index() == at => return owes_a_join,
                _ => {}
            }
            false
        })
}

fn members(played: &Played, group: usize) -> impl Iterator<Item = (usize, &Client)> {
    played.scenario.clients.iter().enumerate().filter(move |(_, client)| client.group.index() == group)
}

/// Before it gives partitions up in an orderly way, such a member has committed all that it did. A cooperative one with auto-commit has not:
/// it goes on after the commit, and what it returns until the revocation is returned again by the next owner.
fn commits_what_it_did(scenario: &Scenario, at: usize, client: &Client) -> bool {
    match client.commit {
        Commit::Auto => !is_cooperative(scenario, at),
        Commit::Sync | Commit::Async | Commit::Every(_) => !is_not_asked(scenario, client),
        Commit::BeforeProcessing | Commit::External => false,
    }
}

/// Without a listener a KIP-848 member may lose partitions while it works on their records, which it does not commit then, or commits by name over
/// what their next owner has committed.
fn is_not_asked(scenario: &Scenario, client: &Client) -> bool {
    client.on_revoke.is_none() && scenario.speaks(client.group, GroupProtocol::Consumer)
}

/// In some life.
pub fn is_cooperative(scenario: &Scenario, client: usize) -> bool {
    let mut configs = scenario.configs(ClientId(client as u32));
    configs.any(|config| config.assignors.iter().all(|assignor| &**assignor == "cooperative-sticky"))
}

/// Somebody of the group died, stood still, was thrown out, or failed to commit.
fn is_disturbed(played: &Played, group: usize) -> bool {
    fails_to_commit(played, group)
        || played.trace.iter().any(|(_, event)| match event {
            TraceEvent::Fault(Fault::BrokerDied { .. }) => true,
            TraceEvent::ClientCrashed { client }
            | TraceEvent::Fault(Fault::CutOff { client, .. })
            | TraceEvent::Fault(Fault::RequestDropped { client, .. })
            | TraceEvent::Fault(Fault::RequestDelayed { client, .. })
            | TraceEvent::ClientPaused { client, .. }
            | TraceEvent::ClientFailed { client, .. }
            | TraceEvent::PollIntervalExceeded { client, .. }
            | TraceEvent::MembershipLost { client, .. }
            | TraceEvent::Lost { client, .. } => group_of(played, *client) == group,
            _ => false,
        })
}

fn fails_to_commit(played: &Played, of: usize) -> bool {
    played.trace.iter().any(|(_, event)| match event {
        TraceEvent::CommitFailed { client, .. } => group_of(played, *client) == of,
        TraceEvent::CommitRefused { group, .. } => group.index() == of,
        _ => false,
    })
}

fn group_of(played: &Played, client: ClientId) -> usize {
    played.scenario.clients[client.index()].group.index()
}
