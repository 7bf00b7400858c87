//! The rules of all dialects, compiled from what `semconv.dialects` read: names become slots, patterns become machines.

use regex::Regex;
use rustc_hash::FxHashMap as HashMap;
use serde::Deserialize;

use super::path::Path;

#[derive(Deserialize)]
pub struct Given {
    pub columns: Vec<GivenColumn>,
    pub dialects: Vec<GivenDialect>,
    /// How records are read that were normalised before: it has the number after the last dialect.
    pub edge: GivenDialect,
    pub verbs: HashMap<String, String>,
    pub verb_pattern: String,
    pub destructive_pattern: String,
    pub handoffs: Vec<GivenHandoff>,
    pub nobody: Vec<String>,
    pub pseudo: Vec<String>,
}

#[derive(Deserialize)]
pub struct GivenColumn {
    pub name: String,
    pub r#type: String,
    pub attribute: String,
}

#[derive(Deserialize)]
pub struct GivenDialect {
    pub name: String,
    pub attributes: Vec<String>,
    pub prefixes: Vec<String>,
    pub scopes: Vec<String>,
    pub rules: Vec<GivenRule>,
}

#[derive(Deserialize, Clone, Default)]
#[serde(default)]
pub struct GivenRule {
    pub column: String,
    pub source: String,
    pub constant: Option<String>,
    pub r#where: Vec<(String, Vec<String>)>,
    pub present: Vec<String>,
    pub absent: Vec<String>,
    pub same: Vec<String>,
    pub values: Option<HashMap<String, String>>,
    pub otherwise: String,
    pub ignore: Vec<String>,
    pub lower: bool,
    pub strip_prefix: String,
    pub strip_suffix: String,
    pub extract: String,
    pub json: String,
    pub content: String,
    pub basis: String,
    pub first: bool,
    pub event: String,
    pub keys: String,
    pub resource: bool,
    pub plus: Vec<String>,
    pub nothing: bool,
}

#[derive(Deserialize)]
pub struct GivenHandoff {
    pub tool: String,
    pub argument: Vec<String>,
    pub mode: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Text,
    Int,
    Double,
    Bool,
    Names,
}

pub struct Column {
    pub name: String,
    pub kind: Kind,
    pub rules: Vec<Rule>,
}

/// Where a rule looks: a slot of the record, or a column that was filled before.
#[derive(Clone, Copy, Debug)]
pub enum Ref {
    Slot(usize),
    Done(usize),
}

impl Ref {
    fn slot(&self) -> Option<usize> {
        match self {
            Ref::Slot(index) => Some(*index),
            Ref::Done(_) => None,
        }
    }
}

pub enum Content {
    Request,
    ToolCalls,
    Arguments,
}

#[derive(Default)]
pub struct Rule {
    /// The dialect that must be spoken; None for our own attributes.
    pub dialect: Option<u32>,
    pub source: Option<usize>,
    pub constant: Option<String>,
    pub wheres: Vec<(Ref, Vec<String>)>,
    pub present: Vec<Ref>,
    pub absent: Vec<Ref>,
    pub same: Option<(Ref, Ref)>,
    pub values: Option<HashMap<String, String>>,
    pub keeps_other: bool,
    pub ignore: Vec<String>,
    pub lower: bool,
    pub strip_prefix: String,
    pub strip_suffix: String,
    pub extract: Option<Regex>,
    pub json: Option<Path>,
    pub content: Option<Content>,
    pub basis: String,
    pub plus: Vec<usize>,
    pub plus_json: Vec<Path>,
    pub nothing: bool,
    /// The number of the pattern by which attributes are gathered.
    pub gathered: Option<usize>,
    /// A slot without which the rule says nothing.
    pub gate: Option<usize>,
}

pub struct Handoff {
    pub whole: Regex,
    pub group: Option<Regex>,
    pub argument: Vec<String>,
    pub mode: String,
}

/// What an attribute key means: its slot, if a rule reads it, and the dialects that it reveals.
#[derive(Clone, Copy, Default)]
pub struct Meaning {
    pub slot: Option<usize>,
    pub bits: u64,
    /// The patterns that gather it, by their number.
    pub gathered: u64,
}

pub struct Rules {
    pub columns: Vec<Column>,
    pub dialects: Vec<(String, Vec<String>)>,
    /// The slot of the attribute that a normalised record has.
    pub mark: usize,
    pub slots: usize,
    keys: HashMap<String, usize>,
    pub pseudo: Vec<Option<usize>>,
    pub events: HashMap<String, HashMap<String, usize>>,
    pub resources: HashMap<String, usize>,
    detect: Vec<(Vec<String>, Vec<String>)>,
    gathered: Vec<Regex>,
    pub verbs: HashMap<String, String>,
    pub verb: Regex,
    pub destructive: Regex,
    pub camel: Regex,
    pub handoffs: Vec<Handoff>,
    pub nobody: Vec<String>,
}

pub type Fault = String;

impl Rules {
    /// Fails, with the reason, on what is not done here in the same way as in Python.
    pub fn compile(given: Given) -> Result<Self, Fault> {
        if given.dialects.len() > 63 {
            return Err("more than 63 dialects".to_owned());
        }
        let mut builder = Builder { keys: HashMap::default(), events: HashMap::default(), resources: HashMap::default(), slots: 0, columns: Vec::new(), patterns: Vec::new() };
        let pseudo: Vec<Option<usize>> = given.pseudo.iter().map(|_| Some(builder.slot())).collect();
        let names: HashMap<String, usize> = given.pseudo.iter().cloned().zip(pseudo.iter().copied().flatten()).collect();
        for column in &given.columns {
            builder.keys_slot(&column.attribute);
        }
        let [mark] = given.edge.attributes.as_slice() else { return Err("records that are done need one mark".to_owned()) };
        let mark = builder.keys_slot(mark);
        let mut columns = Vec::new();
        for column in &given.columns {
            let kind = match column.r#type.as_str() {
                "name" | "text" => Kind::Text,
                "int" => Kind::Int,
                "double" => Kind::Double,
                "bool" => Kind::Bool,
                "names" => Kind::Names,
                other => return Err(format!("column type {other}")),
            };
            let mut rules = Vec::new();
            for rule in given.edge.rules.iter().filter(|rule| rule.column == column.name) {
                rules.push(builder.rule(u32::try_from(given.dialects.len()).ok(), rule, kind, &names)?);
            }
            if column.attribute.starts_with("actorscope.") {
                let own = GivenRule { source: column.attribute.clone(), basis: "declared".to_owned(), ..GivenRule::default() };
                rules.push(builder.rule(None, &own, kind, &names)?);
            }
            let mut found: Vec<(u32, &GivenRule)> = Vec::new();
            for (index, dialect) in given.dialects.iter().enumerate() {
                let number = u32::try_from(index).unwrap_or(0);
                found.extend(dialect.rules.iter().filter(|rule| rule.column == column.name).map(|rule| (number, rule)));
            }
            found.sort_by_key(|(_, rule)| !rule.first);
            for (number, rule) in found {
                rules.push(builder.rule(Some(number), rule, kind, &names)?);
            }
            columns.push(Column { name: column.name.clone(), kind, rules });
            builder.columns.push((column.name.clone(), kind));
        }
        let handoffs = given.handoffs.into_iter().map(handoff).collect::<Result<_, _>>()?;
        if builder.patterns.len() > 64 {
            return Err("more than 64 patterns of keys".to_owned());
        }
        let gathered = builder.patterns.iter().map(|keys| regex(&format!("^(?:{keys})"))).collect::<Result<_, _>>()?;
        Ok(Rules {
            columns,
            detect: given.dialects.iter().map(|d| (d.attributes.clone(), d.prefixes.clone())).collect(),
            dialects: given.dialects.into_iter().map(|d| (d.name, d.scopes)).collect(),
            mark,
            slots: builder.slots,
            keys: builder.keys,
            pseudo,
            events: builder.events,
            resources: builder.resources,
            gathered,
            verbs: given.verbs,
            verb: regex(&given.verb_pattern)?,
            destructive: regex(&given.destructive_pattern)?,
            camel: regex("([a-z])([A-Z])")?,
            handoffs,
            nobody: given.nobody,
        })
    }

    pub fn meaning(&self, key: &str) -> Meaning {
        let bits = self.detect.iter().enumerate().filter(|(_, (attributes, prefixes))| {
            attributes.iter().any(|a| a == key) || prefixes.iter().any(|p| key.starts_with(p.as_str()))
        });
        let matching = self.gathered.iter().enumerate().filter(|(_, pattern)| pattern.is_match(key));
        Meaning {
            slot: self.keys.get(key).copied(),
            bits: bits.fold(0, |all, (index, _)| all | 1 << index),
            gathered: matching.fold(0, |all, (number, _)| all | 1 << number),
        }
    }
}

fn handoff(given: GivenHandoff) -> Result<Handoff, Fault> {
    Ok(Handoff {
        whole: regex(&format!("^(?:{})$", given.tool))?,
        group: if given.argument.is_empty() { Some(regex(&format!("^{}$", given.tool))?) } else { None },
        argument: given.argument,
        mode: given.mode,
    })
}

fn regex(pattern: &str) -> Result<Regex, Fault> {
    Regex::new(pattern).map_err(|error| error.to_string())
}

struct Builder {
    keys: HashMap<String, usize>,
    events: HashMap<String, HashMap<String, usize>>,
    resources: HashMap<String, usize>,
    slots: usize,
    columns: Vec<(String, Kind)>,
    patterns: Vec<String>,
}

impl Builder {
    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    fn keys_slot(&mut self, key: &str) -> usize {
        if let Some(&slot) = self.keys.get(key) {
            return slot;
        }
        let slot = self.slot();
        self.keys.insert(key.to_owned(), slot);
        slot
    }

    fn place(&mut self, rule: &GivenRule, pseudo: &HashMap<String, usize>) -> Result<usize, Fault> {
        if rule.source.starts_with('@') {
            // What a record of this signal does not have is a slot that nobody fills.
            return Ok(pseudo.get(&rule.source).copied().unwrap_or_else(|| self.slot()));
        }
        if !rule.event.is_empty() {
            if let Some(&slot) = self.events.get(&rule.event).and_then(|keys| keys.get(&rule.source)) {
                return Ok(slot);
            }
            let slot = self.slot();
            self.events.entry(rule.event.clone()).or_default().insert(rule.source.clone(), slot);
            return Ok(slot);
        }
        if rule.resource {
            if let Some(&slot) = self.resources.get(&rule.source) {
                return Ok(slot);
            }
            let slot = self.slot();
            self.resources.insert(rule.source.clone(), slot);
            return Ok(slot);
        }
        Ok(self.keys_slot(&rule.source))
    }

    /// What a key of a condition refers to; `as_text` when its value is compared.
    fn reference(&mut self, key: &str, as_text: bool, pseudo: &HashMap<String, usize>) -> Result<Ref, Fault> {
        if let Some(index) = self.columns.iter().position(|(name, _)| name == key) {
            let is_text = self.columns.get(index).is_some_and(|(_, kind)| *kind == Kind::Text);
            if as_text && !is_text {
                return Err(format!("the value of column {key} is compared"));
            }
            return Ok(Ref::Done(index));
        }
        if key.starts_with('@') {
            return Ok(Ref::Slot(pseudo.get(key).copied().unwrap_or_else(|| self.slot())));
        }
        Ok(Ref::Slot(self.keys_slot(key)))
    }

    fn rule(&mut self, dialect: Option<u32>, given: &GivenRule, kind: Kind, pseudo: &HashMap<String, usize>) -> Result<Rule, Fault> {
        let mut made = Rule {
            dialect,
            constant: given.constant.clone(),
            values: given.values.clone(),
            keeps_other: given.otherwise == "keep",
            ignore: given.ignore.clone(),
            lower: given.lower,
            strip_prefix: given.strip_prefix.clone(),
            strip_suffix: given.strip_suffix.clone(),
            basis: given.basis.clone(),
            nothing: given.nothing,
            ..Rule::default()
        };
        for (key, allowed) in &given.r#where {
            made.wheres.push((self.reference(key, true, pseudo)?, allowed.clone()));
        }
        for key in &given.present {
            made.present.push(self.reference(key, false, pseudo)?);
        }
        for key in &given.absent {
            made.absent.push(self.reference(key, false, pseudo)?);
        }
        if let [first, second] = given.same.as_slice() {
            made.same = Some((self.reference(first, true, pseudo)?, self.reference(second, true, pseudo)?));
        }
        if given.nothing {
            return Ok(made);
        }
        if !given.keys.is_empty() {
            let known = self.patterns.iter().position(|keys| *keys == given.keys);
            made.gathered = Some(known.unwrap_or(self.patterns.len()));
            if known.is_none() {
                self.patterns.push(given.keys.clone());
            }
        } else if given.constant.is_none() {
            made.source = Some(self.place(given, pseudo)?);
        }
        if !given.extract.is_empty() {
            made.extract = Some(regex(&given.extract)?);
        }
        if !given.json.is_empty() {
            made.json = Some(Path::parse(&given.json)?);
            made.plus_json = given.plus.iter().map(|path| Path::parse(path)).collect::<Result<_, _>>()?;
        } else {
            made.plus = given.plus.iter().map(|key| self.keys_slot(key)).collect();
        }
        if !given.plus.is_empty() && !matches!(kind, Kind::Int | Kind::Double) {
            return Err("a sum in a column that is no number".to_owned());
        }
        made.content = match given.content.as_str() {
            "" => None,
            "request" => Some(Content::Request),
            "tool_calls" => Some(Content::ToolCalls),
            "arguments" => Some(Content::Arguments),
            other => return Err(format!("content {other}")),
        };
        if (made.constant.is_some() || made.values.is_some() || made.content.is_some()) && kind != Kind::Text {
            return Err("a constant, a translation or content in a column that is no text".to_owned());
        }
        let condition = made.wheres.iter().map(|(key, _)| key).chain(&made.present).find_map(|key| key.slot());
        made.gate = made.source.or(condition);
        Ok(made)
    }
}
