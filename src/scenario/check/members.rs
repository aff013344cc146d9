//! How the consumers of a group are set up, and what Kafka's client or broker would refuse of it.

use super::super::defaults::consumer::{self, ConsumerSettings};
use super::super::file::group::{CommitFile, GroupFile, MemberFile, ProcessingFile};
use super::super::file::shapes::Duration;
use super::super::subscription::Subscription;
use super::super::{BrokerConfig, Client, Commit, Distribution, Listener, Processing};
use super::{Checker, Site};
use crate::release::Release;
use crate::terms::GroupProtocol;
use crate::units::{GroupId, InstanceId, Instant, Span};

/// All of a client but who it is and when it starts.
#[derive(Clone, PartialEq)]
pub struct Setup {
    pub settings: ConsumerSettings,
    poll_timeout: Span,
    processing: Processing,
    /// None: not said.
    commit: Option<Commit>,
    on_revoke: Option<Listener>,
}

impl Setup {
    pub fn client(
        &self,
        name: String,
        group: GroupId,
        start: Option<Instant>,
        instance: Option<InstanceId>,
        subscription: Subscription,
        release: Release,
    ) -> Client {
        Client {
            name,
            group,
            start,
            instance,
            subscription,
            config: consumer::complete(self.settings.config.clone(), release),
            poll_timeout: self.poll_timeout,
            processing: self.processing.clone(),
            commit: self.commit.unwrap_or(Commit::Auto),
            on_revoke: self.on_revoke,
        }
    }
}

impl Checker<'_> {
    pub fn setup(&mut self, written: &GroupFile, site: Site<'_>, settings: ConsumerSettings, listener: Option<Listener>) -> Setup {
        let idle = Processing { per_record: Distribution::Constant(Span::ZERO), per_batch: Span::ZERO };
        Setup {
            settings,
            poll_timeout: written.poll_timeout.map_or(Span::from_millis(100), |timeout| timeout.0),
            processing: written.processing.as_ref().map_or(idle, |processing| self.processing(processing, site.child("processing"))),
            commit: written.commit.and_then(|commit| self.commit(commit, site.child("commit"))),
            on_revoke: self.listener(listener, written.on_revoke, written.listener, site),
        }
    }

    pub fn member_setup(&mut self, common: &Setup, written: &MemberFile, site: Site<'_>, settings: ConsumerSettings) -> Setup {
        let processing = written.processing.as_ref().map(|processing| self.processing(processing, site.child("processing")));
        let commit = written.commit.and_then(|commit| self.commit(commit, site.child("commit")));
        // A member that only says how it commits does not contradict what the group's properties say.
        let says_commit_only = commit.is_some() && !site.child("config").has("enable.auto.commit") && common.commit.is_some();
        let auto_commit = if says_commit_only { None } else { settings.auto_commit };
        Setup {
            settings: ConsumerSettings { auto_commit, ..settings },
            poll_timeout: written.poll_timeout.map_or(common.poll_timeout, |timeout| timeout.0),
            processing: processing.unwrap_or_else(|| common.processing.clone()),
            commit: commit.or(common.commit),
            on_revoke: self.listener(common.on_revoke, written.on_revoke, written.listener, site),
        }
    }

    fn processing(&mut self, written: &ProcessingFile, site: Site<'_>) -> Processing {
        match written {
            ProcessingFile::PerRecord(Duration(time)) => Processing { per_record: Distribution::Constant(*time), per_batch: Span::ZERO },
            ProcessingFile::Long(long) => {
                let inline = ["uniform", "exponential", "normal", "lognormal", "pareto", "values"].iter().any(|key| site.has(key));
                let per_record = match &long.time {
                    Some(time) => {
                        if inline {
                            self.error_with_hint(site.child("time").key(), "two times per record", "leave one of them out");
                        }
                        self.distribution(time, site.child("time"))
                    }
                    None if inline || !(site.has("per.batch") || site.has("time")) => self.random_time(&long.inline(), site),
                    None => Distribution::Constant(Span::ZERO),
                };
                Processing { per_record, per_batch: long.per_batch.map_or(Span::ZERO, |time| time.0) }
            }
        }
    }

    fn commit(&mut self, written: CommitFile, site: Site<'_>) -> Option<Commit> {
        Some(match written {
            CommitFile::Auto => Commit::Auto,
            CommitFile::Sync => Commit::Sync,
            CommitFile::Async => Commit::Async,
            CommitFile::PerRecord => Commit::Every(1),
            CommitFile::BeforeProcessing => Commit::BeforeProcessing,
            CommitFile::External => Commit::External,
            CommitFile::Every(every) => {
                let every = self.require(every.every, site, "`commit`", "every", "after how many records, such as {every: 100}")?;
                if every == 0 {
                    self.error(site.child("every").value(), "a commit after every 0 records");
                }
                Commit::Every(every)
            }
        })
    }

    /// What Kafka or common sense refuses: ConsumerConfig#postProcessParsedConfig, AbstractCoordinator's Heartbeat, the broker's bounds.
    pub fn validate(&mut self, setup: &Setup, member: Option<Site<'_>>, group: Site<'_>, broker: &BrokerConfig) {
        match setup.settings.config.protocol {
            GroupProtocol::Classic => self.validate_session(setup, member, group, broker),
            // The brokers decide.
            GroupProtocol::Consumer => {}
        }
        self.validate_commit(setup, member, group);
    }

    fn validate_session(&mut self, setup: &Setup, member: Option<Site<'_>>, group: Site<'_>, broker: &BrokerConfig) {
        let config = &setup.settings.config;
        if config.heartbeat_interval >= config.session_timeout {
            let message = format!(
                "heartbeat.interval.ms ({}) is not less than session.timeout.ms ({})",
                config.heartbeat_interval.as_millis(),
                config.session_timeout.as_millis()
            );
            let at = property(member, group, &["heartbeat.interval.ms", "session.timeout.ms"]);
            self.error_with_hint(at.value(), message, "Kafka advises a third of it at most");
        }
        let (least, most) = (broker.group_min_session_timeout, broker.group_max_session_timeout);
        if config.session_timeout < least || config.session_timeout > most {
            let at = property(member, group, &["session.timeout.ms"]);
            let message = format!("session.timeout.ms ({}) is outside of what the brokers take", config.session_timeout.as_millis());
            let hint =
                format!("from group.min.session.timeout.ms ({}) to group.max.session.timeout.ms ({})", least.as_millis(), most.as_millis());
            self.error_with_hint(at.value(), message, hint);
        }
    }

    /// `commit: auto` says the same as enable.auto.commit.
    fn validate_commit(&mut self, setup: &Setup, member: Option<Site<'_>>, group: Site<'_>) {
        let place = || property(member, group, &["enable.auto.commit"]).value();
        match (setup.commit, setup.settings.auto_commit) {
            (None, Some(false)) => {
                let hint = "add `commit: sync`, or `async`, `{every: 100}`, `per-record`, `before-processing` or `external`";
                self.error_with_hint(place(), "enable.auto.commit is false, and nothing says how the application commits", hint);
            }
            (Some(Commit::Auto), Some(false)) => {
                self.error_with_hint(
                    place(),
                    "`commit: auto` and enable.auto.commit: false contradict each other",
                    "leave one of them out",
                );
            }
            (Some(Commit::Sync | Commit::Async | Commit::Every(_) | Commit::BeforeProcessing | Commit::External), Some(true)) => {
                let hint = "leave enable.auto.commit out, or say `commit: auto`";
                self.error_with_hint(place(), "enable.auto.commit is true, and `commit` says otherwise", hint);
            }
            (Some(_), _) | (None, Some(true) | None) => {}
        }
    }
}

/// Where the first of these properties is set: with the member, else with the group, else the group itself.
fn property<'a>(member: Option<Site<'a>>, group: Site<'a>, names: &[&str]) -> Site<'a> {
    let configs = member.into_iter().chain([group]).filter(|site| site.has("config")).map(|site| site.child("config"));
    let found = configs.flat_map(|config| names.iter().filter(move |name| config.has(name)).map(move |name| config.child(name)));
    found.into_iter().next().or(member).unwrap_or(group)
}
