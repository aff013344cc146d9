//! The consumer: an application thread in its poll loop and a heartbeat thread (ClassicKafkaConsumer, ConsumerCoordinator), or the network
//! thread of the KIP-848 protocol (AsyncKafkaConsumer). What differs between the two stands in `join` and `heartbeat` for the classic one, in
//! `reconcile` and `group_heartbeat` for the other.
//!
//! `loop { records = poll(timeout); process them; commit }`. Everything but heartbeats and the detection of a missed poll deadline happens
//! inside poll(), commit and close. A consumer that waits in poll() acts on each network event as it arrives; one that is busy acts at
//! its next poll(). One [`Consumer`] is one life of a process: a restart makes another.
//!
//! Not modelled: metadata bootstrap and connection set-up at the start (a start costs the coordinator look-up only), `assign()`, seek, pause()
//! of partitions. A start-up or a look-up is answered by any broker at once.

use std::rc::Rc;

use crate::client::fetcher::Fetcher;
use crate::client::leader_links::LeaderLinks;
use crate::client::membership::consumer::ConsumerMembership;
use crate::client::membership::{Membership, Protocol, RebalanceProtocol};
use crate::client::release::ClientSwitches;
use crate::effects::Effects;
use crate::kafka::fetch::{FetchEntry, FetchLimits, Fetched};
use crate::kafka::request::{Metadata, Request, Response, To};
use crate::terms::{ClientRequest, CommitKind, FatalError, GroupProtocol, Name};
use crate::trace::names::Names;
use crate::units::{BrokerId, ClientId, InstanceId, Instant, MemberId, Offset, Span, TopicPartition};

mod close;
mod commit;
mod fatal;
mod group_heartbeat;
mod handover;
mod heartbeat;
mod join;
mod leader;
mod leaders;
mod lookup;
mod network;
mod passes;
mod poll;
mod position;
mod process;
mod reconcile;
pub mod subscription;
mod work;

use subscription::Wish;
use work::Batch;

/// Where a record's processing time comes from: a constant, or a pure function of the record.
#[derive(Clone)]
pub enum Service {
    Constant(Span),
    Drawn(Rc<dyn Fn(TopicPartition, Offset) -> Span>),
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum OffsetReset {
    Earliest,
    Latest,
    None,
}

/// When the application commits.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum CommitPolicy {
    /// enable.auto.commit with this interval.
    Auto(Span),
    /// commitSync() after each batch.
    Sync,
    /// commitAsync() after each batch.
    Async,
    /// commitSync of what is processed, after so many records of a batch and at its end.
    Every(u32),
    /// commitSync() before the batch is processed.
    BeforeProcessing,
    Never,
}

/// What does not change while a process lives.
#[derive(Clone)]
pub struct ConsumerConfig {
    pub client: ClientId,
    pub life: u32,
    /// What it subscribes to first.
    pub subscription: Wish,
    pub instance: Option<InstanceId>,
    pub protocol: GroupProtocol,
    /// group.remote.assignor
    pub remote_assignor: Option<Name>,
    /// Of the consumer protocol: what differs between releases.
    pub switches: ClientSwitches,
    /// partition.assignment.strategy by protocol name, in order of preference.
    pub protocols: Vec<Name>,
    pub session_timeout: Span,
    pub heartbeat_interval: Span,
    /// By how many millionths of the interval the heartbeats of a busy member come late.
    pub heartbeat_drift: u64,
    pub max_poll_interval: Span,
    pub max_poll_records: u64,
    pub reset: OffsetReset,
    pub limits: FetchLimits,
    pub metadata_max_age: Span,
    pub request_timeout: Span,
    pub default_api_timeout: Span,
    pub retry_backoff: Span,
    pub retry_backoff_max: Span,
    pub poll_timeout: Span,
    pub service: Service,
    pub per_batch: Span,
    pub commit: CommitPolicy,
    /// The application has registered a rebalance listener.
    pub has_listener: bool,
    /// commitSync in onPartitionsRevoked.
    pub commit_on_revoke: bool,
    /// How long onPartitionsRevoked and onPartitionsLost take if there is something to give up.
    pub listener_takes: Span,
    /// A real client looks its coordinator up and its requests wait behind a parked Fetch; an ideal one does neither.
    pub real: bool,
    pub validate_positions: bool,
    /// Of the consumer protocol: a thread that is blocked in poll() takes its part when a pass begins, and at once otherwise.
    pub passes: bool,
    /// A periodic auto-commit covers what the same poll() returns, if the release lets it.
    pub commit_race: bool,
    pub brokers: u32,
    /// The coordinator, for an ideal client.
    pub coordinator: BrokerId,
    pub names: Rc<Names>,
}

/// What a consumer does to the network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outgoing {
    Request(To, Request),
    /// The connection to the coordinator is dropped; what was on its way is lost.
    DisconnectCoordinator,
    /// The same for a partition leader.
    DisconnectBroker(BrokerId),
    /// The process is gone: all connections close.
    Exit,
}

/// Wake-ups of a consumer. `Step` is the application's, the others are timers.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ConsumerTimer {
    /// The batch in hand, or the listener, is done.
    Step,
    Heartbeat,
    PollInterval,
    /// Something to look at while idle in poll(): an auto-commit, a missing position.
    Idle,
    /// poll() has looked for the coordinator long enough.
    PollTimeout,
    /// A commit or a look-up is to be tried again.
    Retry,
    MetadataAge,
    RequestTimeout,
    CloseTimeout,
}

impl ConsumerTimer {
    pub const fn name(self) -> &'static str {
        match self {
            ConsumerTimer::Step => "the application's steps",
            ConsumerTimer::Heartbeat => "heartbeats",
            ConsumerTimer::PollInterval => "max.poll.interval.ms",
            ConsumerTimer::Idle | ConsumerTimer::PollTimeout => "poll()",
            ConsumerTimer::Retry => "retries",
            ConsumerTimer::MetadataAge => "metadata.max.age.ms",
            ConsumerTimer::RequestTimeout => "request.timeout.ms",
            ConsumerTimer::CloseTimeout => "the timeout of close()",
        }
    }
}

pub type ConsumerEffects = Effects<Outgoing, ConsumerTimer>;

/// What the application thread is doing.
#[derive(Debug)]
enum App {
    /// Blocked in poll().
    Idle,
    /// Blocked in poll() until the coordinator is found, or until its timeout.
    FindingCoordinator {
        until: Instant,
    },
    /// Blocked in poll() until the committed offsets are known.
    AwaitingOffsets,
    Busy(Box<Batch>),
    /// Blocked in commitSync().
    Committing(Box<CommitWait>),
    /// In the rebalance listener.
    Listening {
        ends: Instant,
        then: AfterListener,
    },
    Closing(Close),
    Done,
}

/// A commitSync in progress.
#[derive(Debug)]
struct CommitWait {
    kind: CommitKind,
    offsets: Vec<(TopicPartition, Offset)>,
    gives_up: Instant,
    /// Attempts that failed.
    failures: u64,
    /// The next attempt is not made before.
    retry_at: Instant,
    then: AfterCommit,
}

#[derive(Debug)]
enum AfterCommit {
    /// poll() again.
    Poll,
    /// Start on the records that poll() returned.
    Begin(Box<Batch>),
    /// Go on with the batch.
    Resume(Box<Batch>),
    /// The listener's commit is made.
    Listener(AfterListener),
    Close,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum AfterListener {
    /// onJoinPrepare is done.
    SendJoin,
    /// onJoinComplete goes on.
    Assign,
    /// On with the reconciliation of a KIP-848 member.
    Reconcile,
    /// What a KIP-848 member lost is given up: it joins again.
    Rejoin,
    Close,
}

/// Where close() stands.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Close {
    /// commitAsync()s are on their way: close() waits for their answers.
    AwaitingCommits,
    Leaving,
    /// So many fetch sessions are still to be closed.
    ClosingSessions(u32),
}

pub struct Consumer {
    config: ConsumerConfig,
    rebalance_protocol: RebalanceProtocol,
    app: App,
    membership: Membership,
    protocol: Protocol,
    fetcher: Fetcher,
    subscription: subscription::Subscribed,
    /// Connections to the partition leaders.
    links: LeaderLinks,
    /// How the search for the coordinator goes.
    lookup: lookup::Lookup,
    /// Partition counts by topic, as this client's metadata has them.
    metadata: Vec<u32>,
    /// Who leads what, and when that is asked for again.
    leadership: leaders::Leadership,
    /// The last iteration of poll() left nothing to be done for the membership, the positions and the subscription, and nothing came since but
    /// records: the next iteration has only these and the auto-commit to look at. Never so in a KIP-848 group.
    settled: bool,
    /// When the application called poll().
    poll_started: Instant,
    /// The start of the last iteration of poll(): max.poll.interval.ms counts from there.
    last_poll: Instant,
    /// The next auto-commit is due.
    auto_commit_due: Instant,
    /// The earliest idle wake-up that is under way.
    idle_wake: Option<Instant>,
    /// The earliest request time-out wake-up that is under way.
    timeout_wake: Option<Instant>,
    /// What came while nobody looked at the network.
    unread: Vec<(To, Response)>,
    /// What the next poll() throws.
    failed: Option<FatalError>,
    /// close() comes next, once the application is done with what it has in hand.
    stopping: bool,
    /// Thousandths of the normal processing time.
    slowness: u64,
    /// Brokers that this consumer has a fetch session with.
    sessions: Vec<bool>,
    /// A batch that is finished: its buffers serve the next one.
    spare: Option<Box<Batch>>,
}

impl Consumer {
    /// A process that was just started; `metadata` are the partition counts by topic.
    pub fn new(config: ConsumerConfig, metadata: Metadata) -> Self {
        let brokers = config.brokers as usize;
        let fetcher = Fetcher::new(brokers, config.switches.spare_buffered_brokers);
        let (mut membership, mut protocol) = (Membership::new(), Protocol::Classic);
        if config.protocol == GroupProtocol::Consumer {
            // One id for each consumer object, made by the client and kept for good (KIP-1082).
            membership.member = Some(MemberId { client: config.client, number: config.life });
            membership.rejoin_needed = false;
            protocol = Protocol::Consumer(Box::new(ConsumerMembership::new(config.remote_assignor.clone())));
        }
        Consumer {
            rebalance_protocol: RebalanceProtocol::of(&config.protocols),
            subscription: subscription::Subscribed::to(config.subscription.clone(), &metadata),
            config,
            app: App::Idle,
            membership,
            protocol,
            fetcher,
            links: LeaderLinks::new(brokers),
            lookup: lookup::Lookup::default(),
            metadata: metadata.counts.clone(),
            leadership: leaders::Leadership::new(metadata),
            settled: false,
            poll_started: Instant::ZERO,
            last_poll: Instant::ZERO,
            auto_commit_due: Instant::NEVER,
            idle_wake: None,
            timeout_wake: None,
            unread: Vec::new(),
            failed: None,
            stopping: false,
            slowness: 1000,
            sessions: vec![false; brokers],
            spare: None,
        }
    }

    /// The member id is not the coordinator's to give (KIP-848).
    pub fn makes_its_id(&self) -> bool {
        self.config.protocol == GroupProtocol::Consumer
    }

    /// Before it starts: the id that it has made. Without one its number is that of the life.
    pub fn take_id(&mut self, member: MemberId) {
        self.membership.member = Some(member);
    }

    pub fn life(&self) -> u32 {
        self.config.life
    }

    pub fn member(&self) -> Option<MemberId> {
        self.membership.member
    }

    /// A Fetch was answered by the leader that it was sent to.
    pub fn on_fetched(&mut self, now: Instant, from: To, number: u32, records: &[Fetched], fx: &mut ConsumerEffects) {
        let To::Broker(broker) = from else { unreachable!("records come from partition leaders") };
        if self.fetcher.receive(broker, number, records) {
            self.links.answered(broker, ClientRequest::Fetch);
        }
        self.on_network_event(now, fx);
    }

    /// Takes the buffer of a Fetch back that its broker has read.
    pub fn recycle(&mut self, entries: Vec<FetchEntry>) {
        self.fetcher.recycle(entries);
    }

    pub fn on_timer(&mut self, now: Instant, timer: ConsumerTimer, fx: &mut ConsumerEffects) {
        self.settled &= timer == ConsumerTimer::Step;
        match timer {
            ConsumerTimer::Step => self.on_step(now, fx),
            ConsumerTimer::Heartbeat => self.on_heartbeat_timer(now, fx),
            ConsumerTimer::PollInterval => self.check_poll_interval(now, fx),
            ConsumerTimer::Idle => self.on_idle_wake(now, fx),
            ConsumerTimer::PollTimeout => self.end_blocked_poll(now, fx),
            ConsumerTimer::Retry => self.on_retry(now, fx),
            ConsumerTimer::MetadataAge => self.on_metadata_age(now, fx),
            ConsumerTimer::RequestTimeout => self.on_request_timeout(now, fx),
            ConsumerTimer::CloseTimeout => {
                if matches!(self.app, App::Closing(_)) {
                    self.finish_close(fx);
                }
            }
        }
    }
}
