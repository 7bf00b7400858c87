//! What follows from other columns: hand-offs by the tool, the digest of arguments, the effect that a tool's name suggests.

use std::borrow::Cow;

use crate::wire::Read;

use super::content;
use super::path::Path;
use super::record::{Filled, Record, lower};
use super::rules::Rules;

/// Where the columns stand that are needed here.
pub struct Places {
    pub operation: usize,
    pub tool_name: usize,
    pub arguments: usize,
    pub delegate_name: usize,
    pub delegation_mode: usize,
    pub input_digest: usize,
    pub side_effect: usize,
}

impl Places {
    pub fn of(rules: &Rules) -> Result<Self, String> {
        let at = |name: &str| {
            rules.columns.iter().position(|column| column.name == name).ok_or_else(|| format!("there is no column {name}"))
        };
        Ok(Places {
            operation: at("operation")?,
            tool_name: at("tool_name")?,
            arguments: at("arguments")?,
            delegate_name: at("delegate_name")?,
            delegation_mode: at("delegation_mode")?,
            input_digest: at("input_digest")?,
            side_effect: at("side_effect")?,
        })
    }
}

/// Fills them in; true when the side effect is guessed.
pub fn after(record: &mut Record<'_>, rules: &Rules, places: &Places) -> Read<bool> {
    let text = |record: &Record<'_>, at: usize| {
        record.done.get(at).and_then(Option::as_ref).and_then(Filled::text).map(str::to_owned)
    };
    let tool = text(record, places.tool_name);
    let arguments = text(record, places.arguments);
    let is_action = text(record, places.operation).as_deref() == Some("execute_tool");
    let mode = match &tool {
        Some(tool) => mode(tool, rules)?,
        None => None,
    };
    if is_action && let Some(tool) = &tool {
        if text(record, places.delegate_name).is_none() {
            let agent = target(tool, arguments.as_deref(), rules)?;
            put(record, places.delegate_name, agent);
        }
        if text(record, places.delegation_mode).is_none() {
            put(record, places.delegation_mode, mode.clone());
        }
    }
    if text(record, places.input_digest).is_none()
        && let Some(arguments) = &arguments
    {
        let digest = content::digest(arguments)?;
        put(record, places.input_digest, Some(digest));
    }
    if text(record, places.side_effect).is_none()
        && is_action
        && let Some(tool) = &tool
    {
        let guess = if mode.is_some() { "none".to_owned() } else { effect(tool, rules)? };
        put(record, places.side_effect, Some(guess));
        return Ok(true);
    }
    Ok(false)
}

fn put(record: &mut Record<'_>, at: usize, value: Option<String>) {
    if let (Some(place), Some(text)) = (record.done.get_mut(at), value) {
        *place = Some(Filled::Text(Cow::Owned(text)));
    }
}

fn is_nobody(agent: &str, rules: &Rules) -> Read<bool> {
    let agent = lower(agent)?;
    Ok(rules.nobody.contains(&agent))
}

fn target(tool: &str, arguments: Option<&str>, rules: &Rules) -> Read<Option<String>> {
    for entry in &rules.handoffs {
        let found = match &entry.group {
            Some(group) => group.captures(tool).and_then(|found| found.get(1)).map(|group| group.as_str().to_owned()),
            None if entry.whole.is_match(tool) => {
                let mut said = None;
                for key in &entry.argument {
                    if let (None, Some(text)) = (&said, arguments) {
                        said = Path::key(key).map_err(|_| crate::wire::Odd)?.find(text)?;
                    }
                }
                said
            }
            None => None,
        };
        if let Some(agent) = found {
            return Ok(if is_nobody(&agent, rules)? { None } else { Some(agent) });
        }
    }
    Ok(None)
}

fn mode(tool: &str, rules: &Rules) -> Read<Option<String>> {
    for entry in &rules.handoffs {
        if !entry.whole.is_match(tool) {
            continue;
        }
        let is_it = match &entry.group {
            None => true,
            Some(group) => match group.captures(tool).and_then(|found| found.get(1)) {
                Some(agent) => !is_nobody(agent.as_str(), rules)?,
                None => false,
            },
        };
        if is_it {
            return Ok(Some(entry.mode.clone()));
        }
    }
    Ok(None)
}

/// What the first telling word of a tool's name suggests.
fn effect(tool: &str, rules: &Rules) -> Read<String> {
    let words = lower(&rules.camel.replace_all(tool, "${1}_${2}"))?;
    let verb = rules.verb.captures(&words).and_then(|found| found.get(1)).map(|group| group.as_str());
    let guess = verb.and_then(|verb| rules.verbs.get(verb)).map_or("unknown", String::as_str);
    // "order_cancel": a noun that is also a verb stands before the deed.
    let is_worse = guess == "write" && rules.destructive.is_match(&words);
    Ok(if is_worse { "destructive".to_owned() } else { guess.to_owned() })
}
