//! File → [`Scenario`]: every name resolved, every default filled in, and all that is wrong, not just the first of it.
//!
//! The checks go on after a problem, with whatever stands in for the broken part; the scenario that comes out is thrown away then.

pub mod config;
pub mod deploys;
pub mod expect;
pub mod group_configs;
pub mod groups;
pub mod idle;
pub mod incidents;
pub mod ineffective;
pub mod lives;
pub mod members;
pub mod model;
pub mod names;
pub mod network;
pub mod producers;
pub mod protocol;
pub mod repeated;
pub mod samples;
pub mod subscription;
pub mod time;
pub mod timeline;
pub mod topic_lives;
pub mod topics;
#[cfg(test)]
mod warned;

use std::collections::BTreeSet;
use std::ops::Range;

use super::defaults::{Role, broker};
use super::file::{ClusterFile, KafkaFile, OutputFile, ReleaseText, ScenarioFile, WriteLatencyFile};
use super::quantity::Unreadable;
use super::subscription::Pattern;
use super::yaml::{Entry, Kind, Node};
use super::{Cluster, Distribution, Outputs, Releases, Scenario, WriteLatency, reader, yaml};
use crate::error::{PROBLEMS_SHOWN_MAX, Problem, Problems, Severity, closest, did_you_mean};
use crate::release::Release;
use crate::units::{Instant, Span};

/// A larger file is not a scenario.
pub const FILE_BYTES_MAX: usize = 4 << 20;
pub const BROKERS_MAX: u32 = 1_000;

/// Text to scenario, with warnings, or what is wrong with it. `file` is what messages call the text and where its default name comes from.
pub fn load(text: &str, file: &str) -> Result<(Scenario, Problems), Problems> {
    if text.len() > FILE_BYTES_MAX {
        let problem = Problem::error(format!("a file of {} bytes: the limit is {FILE_BYTES_MAX}", text.len()));
        return Err(Problems::unreadable(file, problem));
    }
    let parsed = yaml::parse(text).map_err(|problem| Problems::new(file, text, vec![problem]))?;
    let (mut root, mut problems) = (parsed.root, parsed.problems);
    if matches!(&root.kind, Kind::Scalar { .. }) && problems.is_empty() {
        let at = root.span.clone();
        let problem = Problem::error("there is no scenario in this file").hint("`groupsim show consumer-crash` prints one to start from");
        problems.push(if at.is_empty() { problem } else { problem.at(at) });
        return Err(Problems::new(file, text, problems));
    }
    refuse_empty_values(&mut root, &mut Vec::new(), &mut problems);
    let written: ScenarioFile = reader::read(&mut root, &mut problems);
    let mut scenario = None;
    if !root.bad && matches!(root.kind, Kind::Map(_)) {
        let mut checker = Checker { source: text, problems, patterns: Vec::new(), groups_in_doubt: BTreeSet::new() };
        let read = checker.scenario(&written, Site::root(&root), file);
        checker.warn_of_the_idle(&written, &read, Site::root(&root));
        scenario = Some(read);
        problems = checker.problems;
    }
    let problems = Problems::new(file, text, problems);
    match scenario {
        Some(scenario) if !problems.has_errors() => Ok((scenario, problems)),
        Some(_) | None => Err(problems),
    }
}

/// A key with nothing behind it is a slip, not a wish for the default; only a member may be named and nothing more.
fn refuse_empty_values(node: &mut Node, path: &mut Vec<String>, problems: &mut Vec<Problem>) {
    match &mut node.kind {
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter_mut().for_each(|item| refuse_empty_values(item, path, problems)),
        Kind::Map(entries) => {
            for entry in entries {
                let is_member = path.len() == 3 && path[0] == "groups" && path[2] == "members";
                if entry.value.is_null() && !is_member {
                    let hint = "give it a value, or leave the key out";
                    problems
                        .push(Problem::error(format!("`{}` has no value", reader::cut(&entry.key))).at(entry.key_span.clone()).hint(hint));
                    entry.value.bad = true;
                }
                path.push(entry.key.clone());
                refuse_empty_values(&mut entry.value, path, problems);
                path.pop();
            }
        }
    }
}

/// Where something stands. Going to a child that is not there stays where one is, so that there is always a place to point at.
#[derive(Copy, Clone)]
pub struct Site<'a> {
    node: &'a Node,
    /// None for the root and in lists.
    entry: Option<&'a Entry>,
}

impl<'a> Site<'a> {
    fn root(node: &'a Node) -> Self {
        Site { node, entry: None }
    }

    fn child(self, key: &str) -> Site<'a> {
        self.node.entry(key).map_or(self, |entry| Site { node: &entry.value, entry: Some(entry) })
    }

    /// A key is written, whether or not its value can be read.
    fn has(self, key: &str) -> bool {
        self.node.entry(key).is_some()
    }

    /// A key is written, perhaps misspelt, which has been reported.
    fn tries(self, key: &str) -> bool {
        self.has(key) || self.unreadable().any(|bad| closest(bad, [key]).is_some())
    }

    /// The entries of a map whose values could be read, in their order.
    fn children(self) -> impl Iterator<Item = Site<'a>> {
        self.node.entries().iter().filter(|entry| !entry.value.bad).map(|entry| Site { node: &entry.value, entry: Some(entry) })
    }

    /// The items of a list that could be read, in their order.
    fn items(self) -> impl Iterator<Item = Site<'a>> {
        self.node.items().iter().filter(|item| !item.bad).map(|item| Site { node: item, entry: None })
    }

    /// The keys of the entries that could not be read.
    fn unreadable(self) -> impl Iterator<Item = &'a str> {
        self.node.entries().iter().filter(|entry| entry.value.bad).map(|entry| entry.key.as_str())
    }

    fn value(self) -> Range<usize> {
        self.node.span.clone()
    }

    /// The key as it is written; nothing for the root and in lists.
    fn name(self) -> &'a str {
        self.entry.map_or("", |entry| entry.key.as_str())
    }

    /// Where it begins.
    fn start(self) -> Range<usize> {
        let start = self.node.span.start;
        start..start
    }

    /// The key, or the value where there is none.
    fn key(self) -> Range<usize> {
        self.entry.map_or_else(|| self.value(), |entry| entry.key_span.clone())
    }
}

/// Collects what is wrong.
pub struct Checker<'a> {
    source: &'a str,
    problems: Vec<Problem>,
    /// The regular expressions of subscriptions so far, each once.
    patterns: Vec<Pattern>,
    /// Whose `group.config` was refused somewhere: what they have is not known.
    groups_in_doubt: BTreeSet<String>,
}

impl Checker<'_> {
    fn error(&mut self, at: Range<usize>, message: impl Into<String>) {
        self.problems.push(Problem::error(message).at(at));
    }

    fn error_with_hint(&mut self, at: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::error(message).at(at).hint(hint));
    }

    /// A guess at what was meant, unless there is so much wrong that nobody reads it.
    fn guess<'c>(&self, word: &str, candidates: impl IntoIterator<Item = &'c str> + Clone) -> Option<String> {
        if self.problems.len() > PROBLEMS_SHOWN_MAX { None } else { did_you_mean(word, candidates) }
    }

    fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    fn unreadable(&mut self, at: Range<usize>, why: Unreadable) {
        self.problems.push(Problem { hint: why.hint, ..Problem::error(why.message).at(at) });
    }

    /// What must be there: reported unless it is written and could not be read.
    fn require<T>(&mut self, value: Option<T>, site: Site<'_>, owner: &str, key: &str, hint: &str) -> Option<T> {
        if value.is_none() && !site.tries(key) {
            self.error_with_hint(site.key(), format!("{owner} has no `{key}`"), hint);
        }
        value
    }

    /// An empty map where there should be names: whoever wrote it meant somebody.
    fn refuse_nothing(&mut self, key: &str, site: Site<'_>) {
        if matches!(&site.node.kind, Kind::Map(entries) if entries.is_empty()) {
            self.error_with_hint(site.value(), format!("`{key}` names nothing"), "say of what, or leave the entry out");
        }
    }

    fn scenario(&mut self, file: &ScenarioFile, root: Site<'_>, file_name: &str) -> Scenario {
        let kafka = self.releases(file.kafka.as_ref(), root.child("kafka"));
        let duration = self.duration(file, root);
        let settle = settle(file);
        let cluster = self.cluster(&file.cluster.clone().unwrap_or_default(), root.child("cluster"), kafka.brokers);
        let mut topics = self.topics(file, root, cluster.brokers);
        let topic_names = names::Names::new("topic", &file.topics, root, "topics");
        let producer_names = names::Names::new("producer", &file.producers, root, "producers");
        let mut producers = self.producers(file, root, &topic_names, kafka.clients, Instant::ZERO + duration);
        let mut cast = self.groups(file, root, &topic_names, kafka, &cluster.config);
        let group_names = names::Names::new("group", &file.groups, root, "groups");
        let stage = timeline::Stage {
            brokers: cluster.brokers,
            topics: &topic_names,
            producers: &producer_names,
            groups: &group_names,
            cast: &cast,
            kafka,
            broker: &cluster.config,
            end: duration,
            settle,
        };
        let (mut timeline, instances) = self.timeline(file, root, &stage, &mut topics);
        let expect = self.expectations(file, root, &stage, &topics);
        subscription::add_later_topics(&mut cast.groups, &cast.clients, &timeline);
        let mut patterns = std::mem::take(&mut self.patterns);
        topic_lives::follow_names(&topics, &mut patterns, &mut cast.groups, &mut cast.clients, &mut timeline, &mut producers);
        let series = samples::series(&topics, &cast.groups);
        Scenario {
            name: self.name(file.name.as_deref(), root.child("name"), file_name),
            about: file.about.clone(),
            lesson: file.lesson.clone(),
            kafka,
            seed: file.seed.unwrap_or(1),
            duration,
            settle,
            sample_interval: self.sample_interval(file, root.child("sample.interval"), (duration, settle), series),
            model: self.model(&file.model.clone().unwrap_or_default(), root.child("model"), kafka.clients),
            cluster,
            topics,
            producers,
            groups: cast.groups,
            clients: cast.clients,
            instances: instances.into_iter().collect(),
            patterns,
            timeline,
            expect,
            outputs: Outputs { trace: file.outputs.contains(&OutputFile::Trace) },
        }
    }

    /// A name is one path component on every platform.
    fn name(&mut self, written: Option<&str>, site: Site<'_>, file_name: &str) -> String {
        let name = written.unwrap_or_else(|| {
            let last = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
            let last = last.trim_matches(['<', '>']);
            last.strip_suffix(".yaml").or_else(|| last.strip_suffix(".yml")).unwrap_or(last)
        });
        if let Err(hint) = names::path_component(name) {
            let (at, message) = match written {
                Some(_) => (site.value(), format!("`{}` cannot be the name of a directory", reader::cut(name))),
                None => (0..0, format!("the file's name does not make a scenario name: `{}`", reader::cut(name))),
            };
            self.error_with_hint(at, message, hint);
        }
        name.to_owned()
    }

    fn releases(&mut self, written: Option<&KafkaFile>, site: Site<'_>) -> Releases {
        let mut read = |text: Option<&str>, site: Site<'_>| match text.map(super::defaults::read_release) {
            None => Release::default(),
            Some(Ok(release)) => release,
            Some(Err(unreadable)) => {
                self.unreadable(site.value(), unreadable);
                Release::default()
            }
        };
        match written {
            None => Releases { brokers: Release::default(), clients: Release::default() },
            Some(KafkaFile::Both(text)) => {
                let release = read(Some(text), site);
                Releases { brokers: release, clients: release }
            }
            Some(KafkaFile::Each(each)) => {
                let text = |text: &Option<ReleaseText>| text.as_ref().map(|text| text.0.clone());
                let brokers = read(text(&each.brokers).as_deref(), site.child("brokers"));
                Releases { brokers, clients: read(text(&each.clients).as_deref(), site.child("clients")) }
            }
        }
    }

    fn duration(&mut self, file: &ScenarioFile, root: Site<'_>) -> Span {
        match file.duration {
            Some(duration) if duration.0.is_zero() => {
                self.error(root.child("duration").value(), "a run has to last for some time");
                Span::from_secs(1)
            }
            Some(duration) => duration.0,
            None => {
                if !root.tries("duration") {
                    self.error_with_hint(
                        root.start(),
                        "the scenario has no `duration`",
                        "say how long to simulate, such as `duration: 10m`",
                    );
                }
                // As if the time never ran out, so that no entry of the timeline is called late.
                super::quantity::DURATION_MAX
            }
        }
    }

    fn cluster(&mut self, file: &ClusterFile, site: Site<'_>, release: Release) -> Cluster {
        let mut brokers = file.brokers.unwrap_or(1);
        if !(1..=BROKERS_MAX).contains(&brokers) {
            self.error_with_hint(site.child("brokers").value(), format!("a cluster has 1 to {BROKERS_MAX} brokers"), "the default is 1");
            // As many as there can be: whatever is said of one of them is not wrong too.
            brokers = BROKERS_MAX;
        }
        let latency = match &file.latency {
            None => Distribution::Constant(Span::from_millis(1)),
            Some(latency) => self.distribution(latency, site.child("latency")),
        };
        let mut config = broker::config(release);
        self.apply(Role::Broker, broker::MODELLED, &file.config.0, site.child("config"), &mut config);
        if config.group_min_session_timeout > config.group_max_session_timeout {
            let at = site.child("config").value();
            self.error(at, "group.min.session.timeout.ms is greater than group.max.session.timeout.ms");
        }
        self.consumer_group_config(&config, site.child("config"));
        let write_latency = match file.write_latency {
            None | Some(WriteLatencyFile::Auto) => WriteLatency::Auto,
            Some(WriteLatencyFile::Fixed(latency)) => WriteLatency::Fixed(latency.0),
        };
        let load_time = file.load_time.map_or(Span::from_millis(500), |time| time.0);
        Cluster { brokers, latency, write_latency, load_time, config }
    }
}

fn settle(file: &ScenarioFile) -> Span {
    file.settle.map_or(Span::from_secs(300), |settle| settle.0)
}
