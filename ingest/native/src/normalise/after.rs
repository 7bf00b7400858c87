//! What follows from other columns: hand-offs by the tool, the digest of arguments, the effect that a tool's name suggests.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::wire::Read;

use super::content;
use super::path::Path;
use super::record::{Filled, Record, Text, lower};
use super::rules::{Handoff, Rules};

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

/// What a tool's name says by itself.
#[derive(Clone, Copy)]
struct Tool<'a> {
    is_handoff: bool,
    mode: Read<Option<&'a str>>,
    effect: Read<&'a str>,
}

/// The tools of a batch: few names, asked often.
#[derive(Default)]
pub struct Tools<'a> {
    known: HashMap<String, Tool<'a>>,
}

impl<'a> Tools<'a> {
    fn of(&mut self, name: &str, rules: &'a Rules) -> Tool<'a> {
        if let Some(tool) = self.known.get(name) {
            return *tool;
        }
        let is_entry = |entry: &Handoff| entry.whole.is_match(name) || entry.group.as_ref().is_some_and(|g| g.is_match(name));
        let tool = Tool { is_handoff: rules.handoffs.iter().any(is_entry), mode: mode(name, rules), effect: effect(name, rules) };
        self.known.insert(name.to_owned(), tool);
        tool
    }
}

/// Fills them in; true when the side effect is guessed.
pub fn after<'a>(record: &mut Record<'a>, rules: &'a Rules, places: &Places, tools: &mut Tools<'a>) -> Read<bool> {
    let (mut agent, mut way, mut digest, mut guess) = (None, None, None, None);
    let arguments = record.text(places.arguments);
    if let Some(name) = record.text(places.tool_name) {
        let tool = tools.of(name, rules);
        let mode = tool.mode?;
        if record.text(places.operation) == Some("execute_tool") {
            if tool.is_handoff && record.text(places.delegate_name).is_none() {
                agent = target(name, arguments, rules)?;
            }
            if record.text(places.delegation_mode).is_none() {
                way = mode;
            }
            if record.text(places.side_effect).is_none() {
                guess = Some(if mode.is_some() { "none" } else { tool.effect? });
            }
        }
    }
    if record.text(places.input_digest).is_none()
        && let Some(arguments) = arguments
    {
        digest = Some(content::digest(arguments)?);
    }
    put(record, places.delegate_name, agent.map(Cow::Owned));
    put(record, places.delegation_mode, way.map(Cow::Borrowed));
    put(record, places.input_digest, digest.map(Cow::Owned));
    put(record, places.side_effect, guess.map(Cow::Borrowed));
    Ok(guess.is_some())
}

fn put<'a>(record: &mut Record<'a>, at: usize, value: Option<Text<'a>>) {
    if let Some(text) = value {
        record.set(at, Filled::Text(text));
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

fn mode<'a>(tool: &str, rules: &'a Rules) -> Read<Option<&'a str>> {
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
            return Ok(Some(&entry.mode));
        }
    }
    Ok(None)
}

/// What the first telling word of a tool's name suggests.
fn effect<'a>(tool: &str, rules: &'a Rules) -> Read<&'a str> {
    let words = lower(&rules.camel.replace_all(tool, "${1}_${2}"))?;
    let verb = rules.verb.captures(&words).and_then(|found| found.get(1)).map(|group| group.as_str());
    let guess = verb.and_then(|verb| rules.verbs.get(verb)).map_or("unknown", String::as_str);
    // "order_cancel": a noun that is also a verb stands before the deed.
    let is_worse = guess == "write" && rules.destructive.is_match(&words);
    Ok(if is_worse { "destructive" } else { guess })
}
