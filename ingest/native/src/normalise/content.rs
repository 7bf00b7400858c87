//! What is read out of texts: equal to `ingest/content.py`, function by function; whatever is unusual is odd.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::wire::{Odd, Read};

use super::gathered::{self, IS};
use super::json;

const REQUEST_LIMIT: usize = 4096;
const REQUEST_KEYS: [&str; 10] =
    ["input", "task", "question", "query", "request", "prompt", "message", "instruction", "content", "text"];
const CALL_TYPES: [&str; 6] = ["tool_call", "function_call", "tool_use", "tool-call", "function", "functionCall"];
const NAME_KEYS: [&str; 3] = ["name", "toolName", "tool_name"];
const ID_KEYS: [&str; 6] = ["id", "call_id", "toolCallId", "toolUseId", "tool_call_id", "ref"];
const ARGUMENT_KEYS: [&str; 5] = ["arguments", "args", "input", "arguments_json", "tool_kwargs"];
const WRAPS: [&str; 6] = ["function", "toolUse", "functionCall", "function_call", "tool_call", "toolRequest"];
const CALL_LISTS: [&str; 3] = ["tool_calls", "toolCalls", "function_calls"];
const WRAPPING: [&str; 4] = ["args", "kwargs", "sanitize_inputs_outputs", "tool_name"];

/// `sha256:<hex>` of the canonical arguments, or of the plain text where they are no JSON.
pub fn digest(arguments: &str) -> Read<String> {
    let mut canonical = Vec::with_capacity(arguments.len());
    match json::parse(arguments)? {
        Some(value) => json::canonical(&value, &mut canonical)?,
        None => canonical.extend_from_slice(arguments.as_bytes()),
    }
    let hash = Sha256::digest(&canonical);
    let mut text = String::with_capacity(71);
    text.push_str("sha256:");
    for byte in hash {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    Ok(text)
}

/// What was asked for.
pub fn request(text: &str) -> Read<Option<String>> {
    let found = match json::parse(text)? {
        Some(value) => asked(&value)?,
        None => Some(text.to_owned()),
    };
    let found = found.unwrap_or_default();
    let trimmed = strip(&found)?;
    let cut: String = trimmed.chars().take(REQUEST_LIMIT).collect();
    Ok(if cut.is_empty() { None } else { Some(cut) })
}

/// Without white space at both ends; Python takes a few control characters for such too.
pub fn strip(text: &str) -> Read<&str> {
    let trimmed = text.trim();
    let is_python_space = |c: char| ('\u{1c}'..='\u{1f}').contains(&c);
    if trimmed.starts_with(is_python_space) || trimmed.ends_with(is_python_space) { Err(Odd) } else { Ok(trimmed) }
}

fn asked(value: &Value) -> Read<Option<String>> {
    match value {
        Value::String(text) => Ok(Some(text.clone())),
        Value::Array(items) => {
            if let Some(first) = items.first()
                && items.iter().all(Value::is_array)
            {
                return asked(first);
            }
            let mut last = None;
            for item in items {
                if let Value::Object(message) = item
                    && matches!(role(message)?.as_str(), "user" | "human")
                {
                    last = Some(item);
                }
            }
            last.map_or(Ok(None), said)
        }
        Value::Object(map) => {
            for key in ["messages", "inputs", "kwargs", "args"] {
                if let Some(inner @ (Value::Array(_) | Value::Object(_))) = map.get(key)
                    && let Some(found) = asked(inner)?
                    && !found.is_empty()
                {
                    return Ok(Some(found));
                }
            }
            Ok(REQUEST_KEYS.iter().find_map(|key| map.get(*key)?.as_str().map(str::to_owned)))
        }
        _ => Ok(None),
    }
}

fn role(message: &Map<String, Value>) -> Read<String> {
    for key in ["role", "type"] {
        match message.get(key) {
            Some(Value::String(text)) if !text.is_empty() => {
                return if text.is_ascii() { Ok(text.to_ascii_lowercase()) } else { Err(Odd) };
            }
            None | Some(Value::Null | Value::String(_)) => {}
            Some(_) => return Err(Odd),
        }
    }
    Ok(String::new())
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

fn said(message: &Value) -> Read<Option<String>> {
    Ok(match message {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let mut parts = Vec::new();
            for item in items {
                if let Some(text) = said(item)?
                    && !text.is_empty()
                {
                    parts.push(text);
                }
            }
            let joined = parts.join(" ");
            if joined.is_empty() { None } else { Some(joined) }
        }
        Value::Object(map) => {
            let first = ["parts", "content", "text", "kwargs"].iter().find_map(|key| map.get(*key).filter(|v| is_truthy(v)));
            return first.map_or(Ok(None), said);
        }
        _ => None,
    })
}

/// The tool calls in a model's answer as JSON.
pub fn tool_calls(text: &str) -> Read<Option<String>> {
    let Some(value) = (if text.contains(IS) { Some(gathered::nested(text)?) } else { json::parse(text)? }) else { return Ok(None) };
    let mut found = Vec::new();
    calls(&value, &mut found, false, 0)?;
    if found.is_empty() {
        return Ok(None);
    }
    let mut out = String::from("[");
    for (index, (id, name, arguments)) in found.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        for (lead, part) in [("{\"id\": ", id), (", \"name\": ", name), (", \"arguments\": ", arguments)] {
            out.push_str(lead);
            json::ascii(part, &mut out);
        }
        out.push('}');
    }
    out.push(']');
    Ok(Some(out))
}

fn calls(value: &Value, found: &mut Vec<(String, String, String)>, is_call: bool, depth: u32) -> Read<()> {
    if depth > 100 {
        return Err(Odd);
    }
    match value {
        Value::String(text) => {
            if text.starts_with(['[', '{']) && found.len() < 1000 {
                match json::parse(text)? {
                    Some(inner) if inner.is_array() || inner.is_object() => calls(&inner, found, is_call, depth + 1)?,
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                calls(item, found, is_call, depth + 1)?;
            }
        }
        Value::Object(map) => calls_in(map, found, is_call, depth)?,
        _ => {}
    }
    Ok(())
}

fn text_under(map: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| map.get(*key)?.as_str().map(str::to_owned))
}

fn calls_in(map: &Map<String, Value>, found: &mut Vec<(String, String, String)>, is_call: bool, depth: u32) -> Read<()> {
    let name = text_under(map, &NAME_KEYS).filter(|name| !name.is_empty());
    let arguments = ARGUMENT_KEYS.iter().find_map(|key| map.get(*key)).filter(|value| !value.is_null());
    let kind = map.get("type").or_else(|| map.get("block_type")).and_then(Value::as_str);
    let is_said = is_call || kind.is_some_and(|kind| CALL_TYPES.contains(&kind));
    if let Some(name) = name
        && is_said
        && (arguments.is_some() || is_call)
    {
        let text = match arguments {
            Some(Value::String(text)) => text.clone(),
            Some(value) => {
                let mut out = String::new();
                json::dumps(value, &mut out)?;
                out
            }
            None => "{}".to_owned(),
        };
        found.push((text_under(map, &ID_KEYS).unwrap_or_default(), name, text));
        return Ok(());
    }
    for (key, inner) in map {
        if WRAPS.contains(&key.as_str())
            && let Value::Object(wrapped) = inner
        {
            let mut whole: Map<String, Value> =
                ID_KEYS.iter().filter_map(|key| Some(((*key).to_owned(), map.get(*key)?.clone()))).collect();
            whole.extend(wrapped.iter().map(|(key, value)| (key.clone(), value.clone())));
            calls_in(&whole, found, true, depth + 1)?;
        } else if !ARGUMENT_KEYS.contains(&key.as_str()) {
            calls(inner, found, CALL_LISTS.contains(&key.as_str()), depth + 1)?;
        }
    }
    Ok(())
}

/// The arguments of a tool as they were meant.
pub fn arguments(text: &str) -> Read<String> {
    let Some(mut value) = literal(text)? else { return Ok(text.to_owned()) };
    if let Value::Object(map) = &value
        && let Some(Value::String(inner)) = map.get("input_str")
    {
        match literal(inner)? {
            Some(found) => value = found,
            None => return Ok(text.to_owned()),
        }
    }
    if let Value::Object(map) = &value
        && map.contains_key("kwargs")
        && map.keys().all(|key| WRAPPING.contains(&key.as_str()))
    {
        value = unwrapped(map);
    }
    if let Value::Object(map) = &mut value {
        if map.values().any(|value| value.as_str().is_some_and(|text| text.starts_with('<'))) {
            return Err(Odd);
        }
    }
    if !(value.is_array() || value.is_object()) {
        return Ok(text.to_owned());
    }
    let mut out = String::new();
    json::dumps(&value, &mut out)?;
    Ok(out)
}

/// A JSON value; a Python literal is odd, and None is neither.
fn literal(text: &str) -> Read<Option<Value>> {
    let found = json::parse(text)?;
    if found.is_none() && text.starts_with(['{', '[']) { Err(Odd) } else { Ok(found) }
}

fn unwrapped(map: &Map<String, Value>) -> Value {
    let (args, kwargs) = (map.get("args"), map.get("kwargs"));
    if !args.is_some_and(is_truthy) {
        return kwargs.filter(|value| value.is_object()).cloned().unwrap_or_else(|| Value::Object(Map::new()));
    }
    match args {
        Some(Value::Array(items)) if !kwargs.is_some_and(is_truthy) => match items.as_slice() {
            [only @ Value::Object(_)] => only.clone(),
            _ => Value::Object(map.clone()),
        },
        _ => Value::Object(map.clone()),
    }
}

/// A list of names from a JSON array, or from text with spaces or commas between them.
pub fn names(text: &str) -> Read<Vec<String>> {
    match json::parse(text)? {
        Some(Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned).ok_or(Odd)).collect(),
        Some(Value::String(text)) => Ok(vec![text]),
        Some(_) => Err(Odd),
        None if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) => {
            Ok(text.replace(',', " ").split_ascii_whitespace().map(str::to_owned).collect())
        }
        None => Err(Odd),
    }
}

/// True, false, or None for text that is neither.
pub fn boolean(text: &str) -> Read<Option<bool>> {
    if !text.is_ascii() {
        return Err(Odd);
    }
    Ok(match strip(text)?.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    })
}

/// A number as Polars reads it out of text, in its plain spellings.
pub fn number(text: &str) -> Read<Option<f64>> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.matches('.').count() <= 1;
    if !is_plain {
        return Err(Odd);
    }
    text.parse().map(Some).map_err(|_| Odd)
}
