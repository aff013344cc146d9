//! What must hold in every run, whatever happens in it.

use groupsim::ledger::{Account, Duplicate, DuplicateCause};
use groupsim::release::Release;
use groupsim::scenario::{Arrivals, Commit, ConsumerConfig, Distribution, Producer, Scenario, Verb};
use groupsim::terms::{ErrorCode, GroupProtocol, RemovalReason};
use groupsim::trace::TraceEvent;
use groupsim::trace::ending::Ending;
use groupsim::trace::fault::Fault;
use groupsim::units::{ClientId, Instant, Rate, Span};

use crate::Played;
use crate::promises::is_cooperative;

pub fn hold(played: &Played) {
    let Played { scenario, run, .. } = played;
    assert_eq!(run.violations, [], "the invariants");
    match &run.ending {
        Ending::Finished => assert!(scenario.settle.is_zero(), "a settle phase was asked for"),
        Ending::Drained => assert!(run.accounts.iter().all(|account| account.unsettled == 0), "drained, but something is unsettled"),
        Ending::SettleBound => assert!(!scenario.settle.is_zero()),
        Ending::Stuck { at, why } => assert!(is_fenced_for_ever(played), "stuck at {at} ms: {why}"),
    }
    for (group, account) in run.accounts.iter().enumerate() {
        let sent: u64 = scenario.groups[group].topics.iter().map(|topic| run.production.topics[topic.index()].sent).sum();
        assert_eq!(account.produced, sent, "group {group}: produced");
        adds_up(account);
    }
    production_follows_the_rates(played);
    only_the_silent_lose_their_session(played);
}

/// Up to 4.1 a KIP-848 member that joins again while the coordinator knows it, which for example was still loading and refused its leaving
/// heartbeat, is fenced for its epoch of 0, joins again at once, and so on until its session is over
/// (GroupMetadataManager#throwIfConsumerGroupMemberEpochIsInvalid). Where messages take no time, that takes none.
fn is_fenced_for_ever(played: &Played) -> bool {
    const SEEN: usize = 10_000;
    let Played { scenario, trace, .. } = played;
    let takes_no_time = scenario.cluster.latency == Distribution::Constant(Span::ZERO) && scenario.kafka.brokers < Release::V4_2_0;
    takes_no_time
        && trace.iter().rev().take(SEEN).all(|(_, event)| {
            matches!(
                event,
                TraceEvent::HeartbeatHandled { error: ErrorCode::FencedMemberEpoch, .. }
                    | TraceEvent::MembershipLost { error: ErrorCode::FencedMemberEpoch, .. }
            )
        })
}

fn adds_up(account: &Account) {
    let Account { produced, processed_once, duplicated, extra, lost, skipped, deleted, unsettled, .. } = account;
    assert_eq!(*produced, processed_once + duplicated + lost + skipped + deleted + unsettled, "every record has one fate: {account:?}");
    assert!(extra >= duplicated, "a duplicated record was delivered twice at least");
    let listed: u64 = account.duplicates.iter().map(|duplicate| duplicate.offsets.len()).sum();
    assert_eq!(*extra, listed, "the list of duplicates");
    account.duplicates.iter().for_each(a_cause_comes_before_its_effect);
    assert_eq!(*lost, account.losses.iter().map(|loss| loss.offsets.len()).sum::<u64>(), "the list of losses");
    assert_eq!(*skipped, account.skips.iter().map(|skip| skip.offsets.len()).sum::<u64>(), "the list of what was skipped");
}

fn a_cause_comes_before_its_effect(duplicate: &Duplicate) {
    let (at, rewound) = match duplicate.cause {
        DuplicateCause::Crashed(at)
        | DuplicateCause::PollIntervalExceeded(at)
        | DuplicateCause::Removed(_, at)
        | DuplicateCause::Revoked(at)
        | DuplicateCause::Replaced(at)
        | DuplicateCause::Stopped(at) => (at, false),
        DuplicateCause::CommitWentBack(at) | DuplicateCause::Rewound(at) => (at, true),
    };
    assert!(at <= duplicate.again.1, "{duplicate:?}");
    assert!(duplicate.zombie || rewound || duplicate.before.1.is_none_or(|before| before <= at), "{duplicate:?}");
}

/// Even arrivals are what the rates say, to the record; all that was sent arrives, at the latest in the settle phase.
fn production_follows_the_rates(played: &Played) {
    let mut appended = vec![0; played.scenario.producers.len()];
    let mut sent = vec![None; played.scenario.producers.len()];
    for (_, event) in &played.trace {
        if let TraceEvent::Appended { producer, per_batch, batches, .. } = event {
            appended[producer.index()] += u64::from(*per_batch) * batches;
        } else if let TraceEvent::ProducerStopped { producer, sent: told } = event {
            sent[producer.index()] = Some(*told);
        }
    }
    for (at, producer) in played.scenario.producers.iter().enumerate() {
        let sent = sent[at].expect("every producer stops");
        assert!(appended[at] <= sent, "producer {at}: more was appended than sent");
        let expected = even_arrivals(&played.scenario, at, producer);
        match producer.arrivals {
            Arrivals::Even => assert_eq!(sent, expected, "producer {at}: sent"),
            Arrivals::Poisson => {
                let (difference, variance) = (sent.abs_diff(expected), expected.max(1));
                assert!(difference * difference <= 36 * variance + 36, "producer {at}: {sent} Poisson arrivals of {expected}");
            }
        }
    }
}

/// So many records does a producer make of its rates: each change starts anew.
fn even_arrivals(scenario: &Scenario, at: usize, sender: &Producer) -> u64 {
    let mut rates: Vec<(Instant, Rate)> = sender.steps.iter().map(|step| (step.at, step.rate)).collect();
    for entry in &scenario.timeline {
        if let Verb::Rate { producer, rate } = entry.verb
            && (producer.index() == at || sender.continues == Some(producer))
        {
            rates.push((entry.at, rate));
        }
    }
    rates.sort_by_key(|(at, _)| *at);
    rates.push((Instant::ZERO + scenario.duration, Rate::ZERO));
    // Nothing is sent to a topic that does not exist.
    let topic = &scenario.topics[sender.topic.index()];
    let (from, to) = (topic.created.unwrap_or(Instant::ZERO), topic.deleted.unwrap_or(Instant::NEVER));
    let spans = rates.windows(2).map(|pair| (pair[1].0.clamp(from, to).since(pair[0].0.clamp(from, to)), pair[0].1));
    spans.map(|(span, rate)| (span.as_nanos() * rate.records).div_ceil(rate.per.as_nanos())).sum()
}

/// The properties of a life that begins at this moment.
fn config_at(scenario: &Scenario, client: ClientId, at: Instant) -> &ConsumerConfig {
    let deploys = scenario.timeline.iter().filter(|entry| entry.at <= at).filter_map(|entry| match &entry.verb {
        Verb::Start { deploy, .. } | Verb::RollingRestart { deploy, .. } => deploy.as_ref(),
        _ => None,
    });
    let mut deployed = deploys.flat_map(|deploy| &deploy.clients).filter(|deployed| deployed.client == client);
    deployed.next_back().map_or(&scenario.clients[client.index()].config, |deployed| &deployed.config)
}

/// A dynamic member that lives, is connected and polls in time is not removed for its silence. A cooperative one may be: while it works on
/// records, nobody reads the answer to its JoinGroup, and it sends no heartbeat before one interval has passed since then. And no member is
/// safe where a message may take any time, and what is behind it on its connection waits: of a thousand messages with a Pareto latency of 3
/// ms and a shape of 1.5, one takes 300 ms, and of a million one 30 s.
fn only_the_silent_lose_their_session(played: &Played) {
    if matches!(played.scenario.cluster.latency, Distribution::Pareto { .. }) {
        return;
    }
    let clients = played.scenario.clients.len();
    let (mut excused, mut joining, mut member) = (vec![false; clients], vec![false; clients], vec![None; clients]);
    let (mut cuts, mut stopping) = (vec![0; clients], vec![false; clients]);
    let mut configs: Vec<&ConsumerConfig> = played.scenario.clients.iter().map(|client| &client.config).collect();
    for (at, event) in &played.trace {
        match event {
            // For as long as it is disturbed, whatever it gets meanwhile.
            TraceEvent::Fault(Fault::CutOff { client, .. }) => {
                cuts[client.index()] += 1;
                member[client.index()] = None;
            }
            TraceEvent::Fault(Fault::Reconnected { client, .. }) => cuts[client.index()] -= 1,
            TraceEvent::Fault(Fault::RequestDropped { client, .. }) | TraceEvent::Fault(Fault::RequestDelayed { client, .. }) => {
                member[client.index()] = None
            }
            TraceEvent::ClientPaused { client, .. }
            | TraceEvent::ClientCrashed { client }
            | TraceEvent::ClientStopped { client }
            | TraceEvent::ClientFailed { client, .. }
            | TraceEvent::PollIntervalExceeded { client, .. } => excused[client.index()] = true,
            TraceEvent::ClientStarted { client, .. } => {
                configs[client.index()] = config_at(&played.scenario, *client, *at);
                stopping[client.index()] = false;
            }
            TraceEvent::ClientStopping { client } => stopping[client.index()] = true,
            // close() ends the heartbeat thread before anything else (AbstractCoordinator#close), and may wait long for what comes then.
            TraceEvent::Revoked { client, .. } => excused[client.index()] |= stopping[client.index()],
            TraceEvent::JoinSent { client, .. } => joining[client.index()] = is_cooperative(&played.scenario, client.index()),
            TraceEvent::HeartbeatHandled { member: Some(id), error: ErrorCode::None, .. } => joining[id.client.index()] = false,
            TraceEvent::Assigned { client, member: id, .. } => {
                excused[client.index()] = false;
                // A KIP-848 member can finish a reconciliation while it is cut off.
                member[client.index()] = (cuts[client.index()] == 0).then_some(*id);
            }
            TraceEvent::MemberRemoved { member: id, reason: RemovalReason::SessionExpired, .. } => {
                let client = id.client.index();
                let config = configs[client];
                let brokers = &played.scenario.groups[played.scenario.clients[client].group.index()].config;
                let (interval, session) = match config.protocol {
                    GroupProtocol::Classic => (config.heartbeat_interval, config.session_timeout),
                    GroupProtocol::Consumer => (brokers.heartbeat_interval, brokers.session_timeout),
                };
                // A heartbeat that comes after the session's end cannot help; nor one that waits behind a request that timed out.
                let beats = interval.as_nanos() * 2 < session.as_nanos();
                let patient = config.request_timeout > config.max_poll_interval && config.max_poll_interval <= session;
                // commitAsync() after each batch can come faster than the coordinator answers. Commits keep a classic member's session; a
                // KIP-848 member's heartbeats wait behind them.
                let floods = config.protocol == GroupProtocol::Consumer && played.scenario.clients[client].commit == Commit::Async;
                if member[client] == Some(*id) && !excused[client] && !joining[client] && beats && patient && !floods {
                    panic!("{id:?} lives and beats, and its session expired at {at}");
                }
            }
            _ => {}
        }
    }
}
