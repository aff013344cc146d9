//! The JSON Schema: what is checked in is what the types give, and it takes what the program takes.

use std::collections::BTreeSet;

use groupsim::scenario::{builtin, file};
use serde_json::{Value, json};

fn from_yaml(text: &str) -> Value {
    serde_yaml::from_str_with_options(text, serde_yaml::options! { strict_booleans: true }).expect("YAML")
}

#[test]
fn the_schema_beside_the_scenarios_is_that_of_the_types() {
    let checked_in = include_str!("../scenarios/scenario.schema.json");
    assert!(checked_in == file::schema_text(), "it has changed: cargo run -- schema > scenarios/scenario.schema.json");
}

#[test]
fn every_built_in_scenario_and_every_key_fits_the_schema() {
    let schema = Value::from(file::schema());
    let everything = include_str!("scenarios/everything.yaml");
    for (name, text) in builtin::ALL.iter().map(|builtin| (builtin.name, builtin.text)).chain([("everything", everything)]) {
        if let Err(why) = fits(&from_yaml(text), &schema, &schema) {
            panic!("{name}: {why}");
        }
    }
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let schema = Value::from(file::schema());
    for text in [
        "topics: {orders: 6}",
        "{duration: 1m, topics: {orders: 6}, chaos: {}}",
        "{duration: 1m, topics: {orders: six}}",
        "{duration: 1m, topics: {orders: {partitions: 6, replicas: 3}}}",
        "{duration: 1m, topics: {orders: 6}, groups: {g: {topics: [orders], members: 1, comit: auto}}}",
        "{duration: 1m, topics: {orders: 6}, groups: {g: {topics: [orders], members: 1, config: {linger.ms: 5}}}}",
        "{duration: 1m, topics: {orders: 6}, groups: {g: {topics: [orders], members: 1, commit: never}}}",
        "{duration: 1m, topics: {orders: 6}, timeline: [{at: 1s, crash: a/b, stop: a/b}]}",
        "{duration: 1m, topics: {orders: 6}, expect: [{at: end}]}",
        "{duration: 1m, topics: {orders: 6}, kafka: 3.2}",
        "{duration: 1m, topics: {orders: 6}, kafka: {clients: 4.0.7}}",
        "{duration: 1m, topics: {orders: 6}, groups: {g: {topics: orders, members: 1}}, timeline: [{at: 1s, pause: g/1}]}",
        "{duration: 1m, topics: {orders: 6}, groups: {g: {topics: orders, members: 1}}, timeline: [{at: 1s, stop: g/1, every: 5s}]}",
    ] {
        assert!(fits(&from_yaml(text), &schema, &schema).is_err(), "{text}");
        assert!(groupsim::scenario::load(text, "demo.yaml").is_err(), "{text}");
    }
}

/// The rows of the table of keys in the README, and the types whose keys they list.
const KEY_TABLE: [(&str, &[&str]); 17] = [
    ("the file", &[WHOLE_FILE]),
    ("`kafka`", &["EachKafka"]),
    ("`model`", &["ModelFile"]),
    ("`cluster`", &["ClusterFile"]),
    ("a topic", &["Topic"]),
    ("a producer", &["ProducerFile"]),
    ("its `steps` and `keys`", &["StepFile", "KeysFile"]),
    ("a group", &["GroupFile"]),
    ("a member", &["MemberFile"]),
    ("`topics` of a group or member", &["PatternFile"]),
    ("`processing`", &["LongProcessing"]),
    ("a random time", &["RandomTime", "NormalTime", "LogNormalTime", "ParetoTime"]),
    ("`commit` and `on.revoke`", &["EveryFile", "ListenerFile"]),
    ("the timeline", &["EntryFile"]),
    ("`drop` and `delay`", &["DropFile", "DelayFile"]),
    ("an expectation", &["ExpectFile"]),
    (
        "what is expected",
        &["CountBounds", "LagBounds", "UnavailableFile", "RemovalBounds", "CommitExceptionBounds", "FatalExceptionBounds"],
    ),
];

const WHOLE_FILE: &str = "";

#[test]
fn the_readme_lists_every_key() {
    let schema = Value::from(file::schema());
    let types = schema["$defs"].as_object().expect("types");
    let readme = include_str!("../README.md");
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<String>>();
    for (row, of) in KEY_TABLE {
        let cells = readme.lines().find_map(|line| line.strip_prefix("| ")?.strip_prefix(row)?.strip_prefix(" | "));
        let listed = quoted(cells.unwrap_or_else(|| panic!("the README has no row for {row}")));
        let mut keys: BTreeSet<String> =
            of.iter().flat_map(|name| keys_of(if *name == WHOLE_FILE { &schema } else { &types[*name] })).collect();
        // The row of random times has those.
        if of.contains(&"LongProcessing") {
            keys = keys.difference(&keys_of(&types["RandomTime"]).collect()).cloned().collect();
        }
        assert_eq!(listed, keys, "{row}");
    }
    let in_table: BTreeSet<&str> = KEY_TABLE.iter().flat_map(|(_, of)| of.iter().copied()).collect();
    // Kafka's properties have names of their own.
    let missing = types.iter().filter(|(name, schema)| keys_of(schema).next().is_some() && !name.ends_with("Properties"));
    let missing: Vec<&str> = missing.map(|(name, _)| name.as_str()).filter(|name| !in_table.contains(name)).collect();
    assert_eq!(missing, [""; 0], "types whose keys are in no row");
}

/// The keys of a map that a schema describes, without Kafka's properties.
fn keys_of(schema: &Value) -> impl Iterator<Item = String> {
    let ways = ["anyOf", "oneOf"].into_iter().filter_map(|way| schema[way].as_array()).flatten();
    let maps = ways.chain([schema]).filter_map(|way| way["properties"].as_object());
    let is_ours = |property: &Value| !property["description"].as_str().is_some_and(|text| text.contains("that is not modelled"));
    maps.flatten().filter(move |(_, property)| is_ours(property)).map(|(key, _)| key.clone())
}

#[test]
fn every_key_has_a_text_to_hover_over() {
    fn look(schema: &Value, path: &str) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (key, property) in properties {
                let described = property.get("description").is_some();
                assert!(described || property.get("$ref").is_some(), "{path}.{key} has no description");
            }
        }
        for (key, inner) in schema.as_object().into_iter().flatten() {
            look(inner, &format!("{path}.{key}"));
        }
    }
    look(&Value::from(file::schema()), "");
}

/// As much of JSON Schema as the schema uses, but for patterns.
fn fits(value: &Value, schema: &Value, root: &Value) -> Result<(), String> {
    if schema == &json!(true) {
        return Ok(());
    }
    for (keyword, rule) in schema.as_object().ok_or("a schema that is no object")? {
        match keyword.as_str() {
            "$ref" => {
                let pointer = rule.as_str().and_then(|reference| reference.strip_prefix('#')).ok_or("a reference")?;
                fits(value, root.pointer(pointer).ok_or_else(|| format!("no {pointer}"))?, root)?;
            }
            "type" => fits_type(value, rule)?,
            "const" if value != rule => return Err(format!("{value} is not {rule}")),
            "enum" if !rule.as_array().is_some_and(|values| values.contains(value)) => return Err(format!("{value} is not in {rule}")),
            "minimum" if value.as_f64().is_some_and(|value| value < rule.as_f64().unwrap_or(0.0)) => {
                return Err(format!("{value} < {rule}"));
            }
            "required" => {
                for key in rule.as_array().into_iter().flatten().filter_map(Value::as_str) {
                    if value.is_object() && value.get(key).is_none() {
                        return Err(format!("no {key}"));
                    }
                }
            }
            "dependentRequired" => {
                for (key, others) in rule.as_object().into_iter().flatten().filter(|(key, _)| value.get(key).is_some()) {
                    if let Some(missing) =
                        others.as_array().into_iter().flatten().find(|other| value.get(other.as_str().unwrap_or("")).is_none())
                    {
                        return Err(format!("{key} without {missing}"));
                    }
                }
            }
            "properties" => {
                for (key, inner) in value.as_object().into_iter().flatten() {
                    match (rule.get(key), schema.get("additionalProperties")) {
                        (Some(rule), _) => fits(inner, rule, root).map_err(|why| format!("{key}: {why}"))?,
                        (None, Some(Value::Bool(false))) => return Err(format!("{key} is unknown")),
                        (None, Some(rule)) => fits(inner, rule, root).map_err(|why| format!("{key}: {why}"))?,
                        (None, None) => {}
                    }
                }
            }
            "additionalProperties" if schema.get("properties").is_none() && rule.is_object() => {
                for (key, inner) in value.as_object().into_iter().flatten() {
                    fits(inner, rule, root).map_err(|why| format!("{key}: {why}"))?;
                }
            }
            "items" => {
                for inner in value.as_array().into_iter().flatten() {
                    fits(inner, rule, root)?;
                }
            }
            "anyOf" | "oneOf" => {
                let all: Vec<_> = rule.as_array().into_iter().flatten().map(|rule| fits(value, rule, root)).collect();
                let fitting = all.iter().filter(|result| result.is_ok()).count();
                if fitting == 0 || (keyword == "oneOf" && fitting > 1) {
                    return Err(format!("{value} fits {fitting} of {all:?}"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn fits_type(value: &Value, rule: &Value) -> Result<(), String> {
    let is = |name: &Value| match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => false,
    };
    let fits = rule.as_array().map_or_else(|| is(rule), |names| names.iter().any(is));
    if fits { Ok(()) } else { Err(format!("{value} is not of type {rule}")) }
}
