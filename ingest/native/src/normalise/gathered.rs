//! Attributes with dots and numbers in their keys, gathered as one text: what a model's answer is for some dialects.

use serde_json::{Map, Value};

use crate::wire::{DEEPEST, Odd, Read};

/// Between key and value, and between pairs.
pub const IS: char = '\u{1e}';
const AND: char = '\u{1f}';

/// The attributes as one text, in the order of their keys.
pub fn joined(mut pairs: Vec<(&str, &str)>) -> String {
    pairs.sort_by_key(|(key, _)| *key);
    let mut text = String::new();
    for (key, value) in pairs {
        if !text.is_empty() {
            text.push(AND);
        }
        text.push_str(key);
        text.push(IS);
        text.push_str(value);
    }
    text
}

/// The text as nested objects and lists.
pub fn nested(text: &str) -> Read<Value> {
    let mut root = Map::new();
    for pair in text.split(AND) {
        let (key, value) = pair.split_once(IS).unwrap_or((pair, ""));
        let parts: Vec<&str> = key.split('.').collect();
        let (last, before) = parts.split_last().filter(|_| parts.len() <= DEEPEST as usize).ok_or(Odd)?;
        let mut place = &mut root;
        for part in before {
            let inner = place.entry(*part).or_insert(Value::Null);
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            place = inner.as_object_mut().ok_or(Odd)?;
        }
        place.insert((*last).to_owned(), Value::String(value.to_owned()));
    }
    lists(root)
}

/// Objects whose keys are all numbers become lists in the order of the numbers.
fn lists(map: Map<String, Value>) -> Read<Value> {
    // Python takes the digits of other scripts for numbers too.
    if map.keys().any(|key| !key.is_ascii()) {
        return Err(Odd);
    }
    let is_list = !map.is_empty() && map.keys().all(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()));
    let inner = |value| match value {
        Value::Object(map) => lists(map),
        other => Ok(other),
    };
    if !is_list {
        let pairs = map.into_iter().map(|(key, value)| Ok((key, inner(value)?)));
        return pairs.collect::<Read<_>>().map(Value::Object);
    }
    let mut items = Vec::new();
    for (key, value) in map {
        items.push((key.parse::<u64>().map_err(|_| Odd)?, inner(value)?));
    }
    items.sort_by_key(|(number, _)| *number);
    Ok(Value::Array(items.into_iter().map(|(_, value)| value).collect()))
}
