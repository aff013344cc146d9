//! What a scenario file gets wrong, and what the user reads then: each test is a file and the message, as a snapshot.

use groupsim::scenario::{Commit, load};

/// The message for a file that must not be valid.
fn rendered(text: &str) -> String {
    match load(text, "demo.yaml") {
        Ok((scenario, _)) => panic!("valid: {scenario:#?}"),
        Err(problems) => problems.to_string(),
    }
}

/// A file whose first lines are right.
fn after_a_good_start(text: &str) -> String {
    format!("duration: 10m\ntopics: {{orders: 6, alerts: 3}}\nproducers: {{shop: {{topic: orders, rate: 1k/s}}}}\n{text}")
}

/// A file with a good start and one group of A and B with these properties.
fn with_group(text: &str) -> String {
    after_a_good_start(&format!("groups:\n  billing:\n    topics: [orders]\n    members: [A, B]\n{text}"))
}

macro_rules! messages {
    ($($name:ident: $text:expr;)+) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(rendered(&$text));
        }
    )+};
}

messages! {
    a_member_that_cannot_be_read_is_the_only_mistake: after_a_good_start(
        "groups: {billing: {topics: [orders], members: [[A], B]}}\ntimeline: [{at: 30s, crash: billing/A}, {at: 40s, start: billing/A}]\n"
    );
    a_misspelt_crash_does_not_make_the_start_wrong: with_group(
        "timeline: [{at: 30s, crash: billing/BB}, {at: 40s, start: billing/B}, {at: 50s, crash: biling/A}, {at: 60s, start: billing/A}]\n"
    );
    an_empty_entry_is_one_mistake: with_group("timeline:\n  -\n  - {at: 30s, crash: billing/A}\n");
    an_empty_entry_may_be_written_out: with_group("timeline: [~, null, Null, NULL, {at: 30s, crash: Null}]\n");
    a_group_without_members_has_none_that_crashes: after_a_good_start("\
groups: {a: {topics: orders, members: 0}, b: {topics: orders, members: {}}, c: {topics: orders, members: []}, d: {topics: orders, members: A}}
timeline: [{at: 3s, crash: a/Z}, {at: 3s, crash: b/Z}, {at: 3s, stop: c/Z}, {at: 3s, crash: d/Z}, {at: 3s, scale: {a: x}}, {at: 4s, crash: a/a-1}]
");
    eight_mistakes_are_reported_at_once: "\
durration: 10m
topics:
  orders: {partitions: six}
  alerts: {partitions: 3, replicas: 3}
producers:
  shop: {topic: oders, rate: 1000}
groups:
  billing:
    topics: [orders]
    members: [A, B]
    commit: sync
    config: {enable.auto.commit: true, max.pol.records: 5}
    processing: {lognormal: {p50: 2ms, p90: 9ms}}
timeline:
  - {at: 30s, crash: billing/C}
expect:
  - {lag: {group: billing, of: comitted, at.most: 5}}
";
    keys_in_the_wrong_place_are_shown_home: after_a_good_start("\
commit.race: true
groups:
  g: {topics: [orders], app.passes: false, members: {A: {group.config: {}}}, config: {listener: false, listner: true}}
");
    who_writes_a_word_for_a_map_or_for_true_is_told_what_to_write: with_group("    listener: yes
timeline:
  - {at: 1m, group.config: billing}
  - {at: 1m, drop: Heartbeat}
model: ideal
");
    a_misspelt_key_is_guessed: after_a_good_start("setle: 5m\n");
    a_key_of_another_version_is_named: after_a_good_start("chaos: {crash: {each: {exponential: 2m}}}\n");
    what_must_be_there_is_missed: "name: nothing\n";
    a_group_needs_topics_and_members: after_a_good_start("groups: {billing: {}}\n");
    a_duration_needs_a_unit: after_a_good_start("settle: 5\n");
    a_rate_needs_a_time: "duration: 1m\ntopics: {a: 1}\nproducers: {p: {topic: a, rate: 1000}}\n";
    an_unknown_release_names_the_known_ones: after_a_good_start("kafka: 4.1.1\n");
    a_property_of_a_producer_does_not_fit_a_consumer: with_group("    config: {linger.ms: 5, fetch.min.bytes: 1}\n");
    a_property_of_a_consumer_does_not_fit_a_producer: "duration: 1m\ntopics: {a: 1}\nproducers: {p: {topic: a, rate: 1/s, config: {fetch.min.bytes: 1}}}\n";
    heartbeats_must_be_shorter_than_the_session: with_group("    config: {session.timeout.ms: 10s, heartbeat.interval.ms: 10000}\n");
    a_session_has_the_brokers_bounds: with_group("    config: {session.timeout.ms: 5999}\n");
    numbers_have_kafkas_bounds: with_group("    config: {max.poll.records: 0, fetch.max.wait.ms: -1, max.poll.interval.ms: 99999999999}\n");
    an_unknown_assignor_is_guessed: with_group("    config: {partition.assignment.strategy: [roundrobbin]}\n");
    each_protocol_refuses_the_properties_of_the_other: "duration: 1m
cluster: {config: {group.consumer.session.timeout.ms: 10s, group.consumer.assignors: [range]}}
topics: {a: 1}
groups:
  classic: {topics: a, members: 1, config: {group.remote.assignor: uniform}}
  consumer:
    {topics: a, members: {A: {config: {session.timeout.ms: 10000}}, B: {config: {group.protocol: classic}}},
    config: {group.protocol: consumer, partition.assignment.strategy: range, group.remote.assignor: uniform}}\n";
    the_consumer_protocol_needs_its_release: "kafka: {brokers: \"3.9\", clients: \"4.3\"}\nduration: 1m\ntopics: {a: 1}\ngroups: {g: {topics: a, members: 1, config: {group.protocol: consumer}}}\n";
    a_cluster_without_brokers_has_none_that_dies: "duration: 1m\ntopics: {a: 1}\ncluster: {brokers: 0}\ntimeline: [{at: 20s, broker.down: 0}]\n";
    a_protocol_is_classic_or_consumer: with_group("    config: {group.protocol: streams}\n");
    commit_and_auto_commit_must_agree: with_group("    commit: auto\n    config: {enable.auto.commit: false}\n");
    without_auto_commit_somebody_has_to_commit: with_group("    config: {enable.auto.commit: false}\n");
    a_way_to_commit_is_guessed: with_group("    commit: per-recrod\n");
    one_instance_id_for_all_is_refused: with_group("    config: {group.instance.id: a}\n");
    a_topic_that_is_not_declared_is_guessed: after_a_good_start("groups: {billing: {topics: [order, alerts, alerts], members: 1}}\n");
    two_members_of_one_name_are_refused: after_a_good_start("groups: {billing: {topics: [orders], members: [A, B, A]}}\n");
    an_idempotent_producer_has_limits: "\
duration: 1m
topics: {a: 1}
producers:
  implied: {topic: a, rate: 1/s, config: {max.in.flight.requests.per.connection: 6}}
  asked: {topic: a, rate: 1/s, config: {enable.idempotence: true, acks: 1}}
  hasty: {topic: a, rate: 1/s, config: {delivery.timeout.ms: 30000}}
  large: {topic: a, rate: 1/s, record.size: 1MiB}
";
    rates_and_steps_exclude_each_other: "\
duration: 1m
topics: {a: 1}
producers:
  both: {topic: a, rate: 1/s, steps: [{at: 0s, rate: 2/s}]}
  none: {topic: a}
  unsorted: {topic: a, steps: [{at: 9s, rate: 1/s}, {at: 5s, rate: 1/s}, {at: 2m, rate: 1/s}]}
  keys: {topic: a, rate: 1/s, keys: {count: 3, weights: [1, 2], zipf: 1.0}}
  nan: {topic: a, rate: 1/s, keys: {count: 3, zipf: .nan}}
";
    more_replicas_than_brokers_are_refused: "duration: 1m\ntopics: {a: {partitions: 1, replication.factor: 3}, b: 0}\n";
    an_entry_needs_one_verb_and_its_parameters: with_group("\
timeline:
  - {at: 1s}
  - {at: 2s, crash: billing/A, stop: billing/B}
  - {crash: billing/A}
  - {at: 3s, pause: billing/A}
  - {at: 4s, slow: billing/A, for: 5s}
  - {at: 5s, stop: billing/A, for: 5s}
  - {at: 6s, rolling.restart: billing}
");
    faults_of_network_and_brokers_are_checked: with_group("\
timeline:
  - {at: 1s, disconnect: [billing/A]}
  - {at: 2s, disconnect: [billing/A, coordinate], for: 2s}
  - {at: 3s, disconnect: [billing/Z, coordinator, 4], for: 0s}
  - {at: 4s, disconnect: billing/A, for: 2s}
  - {at: 5s, drop: {request: Heartbeats, from: billing/A}}
  - {at: 6s, drop: {request: Heartbeat}, count: 0}
  - {at: 7s, delay: {request: Heartbeat, from: billing/A}, for: 2s}
  - {at: 8s, delay: {request: Heartbeat, from: billing, by: 2s}, factor: 2}
  - {at: 9s, broker.down: 3, for: 2s}
  - {at: 10s, broker.down: 0, for: 5s}
  - {at: 12s, broker.down: 0, for: 5s}
  - {at: 20s, crash: billing/B}
  - {at: 22s, drop: {request: Fetch, from: billing/B}, down: 1s}
");
    what_cannot_happen_is_refused: with_group("\
timeline:
  - {at: 10s, start: billing/A}
  - {at: 20s, crash: billing/A}
  - {at: 30s, stop: billing/A}
  - {at: 40s, pause: billing/B, for: 10s}
  - {at: 45s, pause: billing/B, for: 1s}
  - {at: 50s, scale: {billing: 4}}
  - {at: 60s, scale: {billing: 4}}
  - {at: 70s, partitions: {orders: 6}}
  - {at: 9m, rolling.restart: billing, every: 30s, down: 5s}
  - {at: 10m, crash: billing/B}
");
    a_member_that_only_the_timeline_starts_is_not_there_before: after_a_good_start("\
groups: {billing: {topics: [orders], members: {A: {start: never}, B: {start: 30s}}}}
timeline:
  - {at: 10s, crash: billing/A}
  - {at: 20s, stop: billing/B}
  - {at: 20s, rolling.restart: billing, every: 1s, down: 1s}
");
    a_member_needs_its_group: with_group("timeline: [{at: 1s, crash: A}, {at: 2s, crash: biling/A}, {at: 3s, crash: billing/Z}]\n");
    expectations_are_checked: with_group("\
expect:
  - {}
  - {lost: 0, skipped: 0}
  - {lost: {group: billin, at.most: 3}}
  - {lost: {exactly: 1, at.most: 3}}
  - {lost: {group: billing}}
  - {lag: 5, after: 11m}
  - {lag: {at.least: 9, at.most: 5}, at: end, after: 1s}
  - {rebalances: {at.most: 3}, within: 1%}
  - {unavailable: {partition: orders-6, at.most: 5s}}
  - {unavailable: {partition: orders, at.most: 5}}
  - {owner: {orders-0: A}}
  - {owner: {orders-0: C, payments-1: A}, at: 5s}
  - {livelock: biling}
  - {backlog: 5, at: 3s}
  - {lost: -1}
");
    distributions_are_checked: with_group("    processing: {uniform: [5ms, 1ms]}
  a: {topics: [orders], members: 1, processing: {uniform: [1ms]}}
  b: {topics: [orders], members: 1, processing: {exponential: 1ms, values: [1ms]}}
  c: {topics: [orders], members: 1, processing: {lognormal: {p50: 5ms, p99: 1ms}}}
  d: {topics: [orders], members: 1, processing: {normal: {mean: 5ms}}}
  e: {topics: [orders], members: 1, processing: {pareto: {scale: 1ms, shape: .inf}}}
  f: {topics: [orders], members: 1, processing: {time: 1ms, exponential: 1ms}}
  g: {topics: [orders], members: 1, processing: {}}
");
    names_are_checked: "\
name: ../../etc
duration: 1m
topics: {a/b: 1, __consumer_offsets: 1}
producers: {\"\": {topic: a/b, rate: 1/s}}
groups: {g g: {topics: [a/b], members: [\"x#1\"]}}
";
    limits_are_named: "\
duration: 3651d
topics: {a: 100001}
cluster: {brokers: 1001}
producers:
  fast: {topic: a, rate: 2000G/s}
  many: {topic: a, rate: 1/s, keys: {count: 1000001}}
groups: {g: {topics: [a], members: 10001}}
";
    a_run_of_no_time_and_too_many_samples_are_refused: "duration: 0s\nsample.interval: 0s\ntopics: {a: 1}\n";
    a_key_twice_shows_both_places: "duration: 1m\ntopics: {a: 1, b: 2, a: 3}\nduration: 2m\n";
    tags_are_refused: "duration: !time 1m\ntopics: !!map {a: !!int 1}\n";
    a_list_is_not_a_scenario: "- duration: 1m\n";
    a_word_is_not_a_scenario: "hello\n";
    an_empty_file_is_not_a_scenario: "# nothing\n";
    two_documents_are_refused: "duration: 1m\n---\nduration: 2m\n";
    a_rate_needs_something_behind_the_slash: "duration: 1m\ntopics: {a: 1}\nproducers: {p: {topic: a, rate: 1k/}}\n";
    a_unit_stands_at_its_number: after_a_good_start("settle: 1m 30 s\n");
    a_share_needs_its_percent_sign: after_a_good_start("model: {heartbeat.drift: 0.5}\n");
    a_number_of_members_is_no_name: after_a_good_start("groups: {g: {topics: [orders], members: -1}, h: {topics: [orders], members: A}}\n");
    a_group_is_no_member: with_group("timeline: [{at: 1s, stop: billing}, {at: 2s, stop: bill}]\n");
    a_misspelt_section_leaves_nothing_undeclared: "duration: 1m\ntopic: {a: 1}\ngroups: {g: {topics: [a], members: 1}}\n";
    other_words_for_bounds_are_understood: with_group("expect: [{lost: {max: 3}}, {extra: {min: 1}}, {produced: {equals: 3}}]\n");
    a_rolling_restart_of_nobody_is_reported_with_the_rest: with_group("timeline: [{at: 1s, rolling.restart: biling, every: 5}]\n");
    two_rolling_restarts_of_one_group_exclude_each_other: with_group("\
timeline:
  - {at: 10s, rolling.restart: billing, every: 10s, down: 1s}
  - {at: 15s, rolling.restart: billing, every: 10s, down: 1s}
");
    maps_that_name_nothing_are_refused: with_group("\
timeline:
  - {at: 1s, rate: {}}
  - {at: 2s, partitions: {}}
  - {at: 3s, scale: {}}
expect:
  - {owner: {}, at: 5s}
  - {owner: {group: billing}, at: 5s}
");
    an_instance_id_is_one_and_not_empty: after_a_good_start("\
groups:
  billing:
    topics: [orders]
    members:
      A: {group.instance.id: \"\"}
      B: {config: {group.instance.id: \"\"}}
      C: {group.instance.id: c, config: {group.instance.id: d}}
");
    without_a_settle_phase_nothing_settles: with_group("settle: 0s\nexpect: [{lag: 0, at: settled}]\n");
    a_list_of_topics_declares_none_and_nothing_is_called_undeclared:
        "duration: 1m\ntopics: [a]\nproducers: {p: {topic: a, rate: 1/s}}\ntimeline: {at: 1s, crash: g/A}\n";
    an_unknown_verb_is_answered_with_all_of_them: with_group("timeline: [{at: 1s, kill: billing/A}]\n");
    an_open_quotation_mark_is_explained: "duration: \"1m\ntopics: {orders: 6}\n";
    a_key_in_a_column_of_its_own_is_explained: "duration: 1m\ntopics:\n  orders: 6\n payments: 3\n";
    a_key_without_a_colon_is_explained: "duration: 1m\ntopics\n  orders: 6\n";
    a_tab_is_shown_where_it_stands: "duration: 1m\ntopics:\n  orders: 6\n\talerts: 3\n";
    tabs_are_explained: "duration: 1m\ntopics:\n\torders: 6\n";
    an_open_bracket_is_a_syntax_error: "duration: 1m\ntopics: {orders: 6\n";
    an_alias_without_an_anchor_is_a_syntax_error: "duration: *d\n";
    a_nul_byte_is_refused: "duration: 1m\0\n";
    numbers_that_fit_nowhere_are_refused:
        "seed: 99999999999999999999999\nduration: 1e999s\ntopics: {a: 1.5, b: -1, c: .nan, d: 0x10, e: \"6\"}\n";
}

#[test]
fn a_missing_part_does_not_hide_other_problems_and_a_broken_one_is_not_called_undeclared() {
    let text = "duration: 1m\ntopics: {orders: six}\nproducers: {shop: {topic: orders, rate: x}}\n";
    let shown = rendered(text);
    assert!(shown.contains("`six` is not a number of partitions") && shown.contains("`x` is not a rate"), "{shown}");
    assert!(!shown.contains("not declared"), "{shown}");
}

#[test]
fn what_never_does_anything_is_a_warning() {
    let text = "duration: 1m
topics: {orders: 6, spare: 1, later: 1}
producers:
  shop: {topic: orders, rate: 0/s}
  woken: {topic: orders, rate: 0/s}
groups:
  nobody: {topics: [orders], members: 0}
  scaled: {topics: [orders], members: 0}
  never: {topics: [orders], members: {A: {start: never}}}
  some: {topics: [orders], members: {A: , B: {start: never}, C: {start: 2m}, D: {start: never}}}
  consumer: {topics: [orders], members: [A], config: {group.protocol: consumer}}
  classic: {topics: [orders], members: [A]}
  both: {topics: [orders], members: {A: {config: {group.protocol: consumer}}}}
timeline:
  - {at: 1s, rate: {woken: 1/s}}
  - {at: 1s, scale: {scaled: 1}}
  - {at: 1s, start: some/D}
  - {at: 1s, drop: {request: JoinGroup, from: consumer/A}}
  - {at: 1s, drop: {request: ConsumerGroupHeartbeat, from: consumer/A}}
  - {at: 1s, delay: {request: ConsumerGroupHeartbeat, from: classic/A, by: 1s}}
  - {at: 1s, drop: {request: ConsumerGroupHeartbeat, from: both/A}}
  - {at: 1s, drop: {request: Heartbeat, from: both/A}}
  - {at: 2s, rolling.restart: both, every: 2s, down: 1s, config: {group.protocol: classic}}
";
    let (_, warnings) = load(text, "demo.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    insta::assert_snapshot!(warnings.to_string());
    // What is broken is no reason to call what hangs on it idle.
    assert!(!rendered("duration: 1m\ntopics: {a: 1}\ngroups: {g: {topics: [b], members: 1}}\n").contains("warning"));
}

#[test]
fn a_property_without_effect_is_a_warning_and_no_error() {
    let text =
        with_group("    config: {isolation.level: read_committed, bootstrap.servers: \"localhost:9092\"}\n").replace(", alerts: 3", "");
    let (_, warnings) = load(&text, "demo.yaml").expect("a valid file");
    assert_eq!(warnings.list.len(), 2);
    insta::assert_snapshot!(warnings.to_string());
}

#[test]
fn aliases_and_merge_keys_are_understood() {
    let text = "\u{feff}duration: 1m
topics: {a: &n 3, b: *n}
groups:
  one: &base {topics: [a], members: 2, processing: 1ms}
  two: {<<: *base, members: 3}
  three: {<<: [*base, {commit: sync}], topics: [b]}
";
    let (scenario, _) = load(text, "demo.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    let sizes: Vec<u32> = scenario.groups.iter().map(|group| group.clients).collect();
    assert_eq!((scenario.topics[1].partitions, sizes), (3, vec![2, 3, 2]));
}

#[test]
fn what_a_member_says_goes_before_what_its_group_says() {
    let text = after_a_good_start(
        "groups: {g: {topics: [orders], commit: sync, config: {enable.auto.commit: false, max.poll.records: 7}, members: {
  A: , B: {commit: auto, config: {max.poll.records: 9}}, C: {commit: external}}}}\n",
    );
    let (scenario, _) = load(&text, "demo.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    let setups: Vec<_> = scenario.clients.iter().map(|client| (client.commit, client.config.max_poll_records)).collect();
    assert_eq!(setups, [(Commit::Sync, 7), (Commit::Auto, 9), (Commit::External, 7)]);
    let each = "groups: {g: {topics: [orders], config: {enable.auto.commit: false}, members: {A: {commit: sync}, B: {commit: async}}}}\n";
    assert!(load(&after_a_good_start(each), "demo.yaml").is_ok());
}

#[test]
fn defaults_are_those_of_the_release() {
    for (release, session, assignors, linger, acks_all, backoff_max) in
        [("2.8", 10_000, 1, 0, false, 100), ("3.9", 45_000, 2, 0, true, 1_000), ("4.3", 45_000, 2, 5, true, 1_000)]
    {
        let text = with_group(&format!("kafka: {release}\n"));
        let (scenario, _) = load(&text, "demo.yaml").unwrap_or_else(|problems| panic!("{problems}"));
        let (consumer, producer) = (&scenario.clients[0].config, &scenario.producers[0].config);
        assert_eq!((consumer.session_timeout.as_millis(), consumer.assignors.len()), (session, assignors), "{release}");
        assert_eq!((producer.linger.as_millis(), producer.acks_all), (linger, acks_all), "{release}");
        assert_eq!(consumer.retry_backoff_max.as_millis(), backoff_max, "{release}");
    }
    let linger = |release: &str| {
        let (scenario, _) = load(&after_a_good_start(&format!("kafka: {release}\n")), "demo.yaml").expect("a valid file");
        scenario.cluster.config.append_linger.as_millis()
    };
    assert_eq!(["3.9", "4.0", "4.1", "4.2", "4.3", "4.4"].map(linger), [0, 5, 5, 0, 0, 0]);
}

#[test]
fn members_may_be_down_or_up_while_a_rolling_restart_goes_on() {
    let text = with_group(
        "timeline:
  - {at: 1m, rolling.restart: billing, every: 20s, down: 8s}
  - {at: 65s, start: billing/A}
  - {at: 85s, crash: billing/B}
  - {at: 2m, slow: billing/A, factor: 2.5}
",
    );
    assert!(load(&text, "demo.yaml").is_ok());
}

#[test]
fn a_release_is_read_from_its_text() {
    for (written, brokers) in [("4.0", "4.0.2"), ("\"4.0.0\"", "4.0.0"), ("{brokers: 4.3}", "4.3.1"), ("3.9", "3.9")] {
        let (scenario, _) = load(&after_a_good_start(&format!("kafka: {written}\n")), "demo.yaml").expect("a valid file");
        assert_eq!(scenario.kafka.brokers.name(), brokers);
    }
}

#[test]
fn scaled_up_members_continue_the_numbers_with_one_width() {
    let names = |members: &str| {
        let text = after_a_good_start(&format!(
            "groups: {{g: {{topics: [orders], members: {members}}}}}\ntimeline: [{{at: 1s, scale: {{g: 10}}}}]\n"
        ));
        let (scenario, _) = load(&text, "demo.yaml").unwrap_or_else(|problems| panic!("{problems}"));
        scenario.clients.iter().map(|client| client.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("3")[..4], ["g-01", "g-02", "g-03", "g-04"]);
    assert_eq!(names("[A, B]")[1..4], ["B", "g-03", "g-04"]);
}
