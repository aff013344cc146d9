//! The JSON Schema: what is checked in is what the types give, and it takes what the program takes.

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
    ] {
        assert!(fits(&from_yaml(text), &schema, &schema).is_err(), "{text}");
        assert!(groupsim::scenario::load(text, "demo.yaml").is_err(), "{text}");
    }
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
