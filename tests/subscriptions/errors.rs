//! What a scenario file gets wrong about subscriptions and topics, and what the user reads then.

use groupsim::scenario::load;

/// The message for a file that must not be valid; its first lines are right.
fn rendered(text: &str) -> String {
    let text = format!("duration: 10m\ntopics: {{orders: 6, payments: 3}}\nproducers: {{shop: {{topic: orders, rate: 1k/s}}}}\n{text}");
    match load(&text, "demo.yaml") {
        Ok((scenario, _)) => panic!("valid: {scenario:#?}"),
        Err(problems) => problems.to_string(),
    }
}

macro_rules! messages {
    ($($name:ident: $text:expr;)+) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(rendered($text));
        }
    )+};
}

messages! {
    members_subscribe_to_declared_topics: "groups:
  billing:
    members: {A: {topics: [order]}, B: {topics: [payments, payments]}, C: {topics: []}}
";
    somebody_without_topics_needs_those_of_the_group: "groups:
  billing:
    members: {A: {topics: orders}, B: }
";
    a_pattern_has_to_be_one_and_somebody_has_to_evaluate_it: "groups:
  billing:
    topics: {pattern: \"orders-(\"}
    members: {A: {topics: {pattern: \"(?=orders).*\"}}, B: {topics: {patern: orders}}, C: {topics: {pattern: \"o.*\", evaluated.by: brokers}}}
";
    topics_come_and_go_in_order: "groups: {billing: {topics: [orders, payments], members: 1}}
timeline:
  - {at: 1s, partitions: {payments: 4}}
  - {at: 2s, create.topic: payments}
  - {at: 3s, create.topic: payments}
  - {at: 4s, delete.topic: [orders, payments]}
  - {at: 5s, partitions: {orders: 9}}
  - {at: 6s, delete.topic: orders}
  - {at: 7s, create.topic: {orders: 3}}
  - {at: 8s, delete.topic: order}
  - {at: 9s, create.topic: []}
";
    subscribe_needs_a_running_member_and_topics: "groups: {billing: {topics: orders, members: {A: , B: {start: never}}}}
timeline:
  - {at: 1s, subscribe: billing/A}
  - {at: 2s, subscribe: billing/B, topics: orders}
  - {at: 3s, subscribe: billing/A, topics: [paymnets]}
  - {at: 4s, stop: billing/A, topics: orders}
";
}
