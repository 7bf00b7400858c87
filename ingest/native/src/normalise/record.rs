//! One record: its slots are asked by the rules, column after column.

use std::borrow::Cow;
use std::ops::Range;

use crate::wire::{Odd, Read};

use super::content;
use super::gathered::joined;
use super::path::Path;
use super::rules::{Content, Kind, Ref, Rule, Rules};

pub type Text<'a> = Cow<'a, str>;

/// The value of a column.
#[derive(Clone, Debug)]
pub enum Filled<'a> {
    Text(Text<'a>),
    Int(u64),
    Double(f64),
    Bool(bool),
    Names(Vec<String>),
}

impl<'a> Filled<'a> {
    pub fn text(&self) -> Option<&str> {
        match self {
            Filled::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A column that some rule may fill for records of some dialects, and those rules.
pub struct Asked<'a> {
    column: usize,
    kind: Kind,
    rules: Vec<(Option<usize>, usize, &'a Rule)>,
}

/// The columns in order; each rule with its gate and its number.
pub type Plan<'a> = Vec<Asked<'a>>;

/// The plan for the dialects in `bits`.
pub fn plan(rules: &Rules, bits: u64) -> Plan<'_> {
    let is_asked = |rule: &Rule| rule.dialect.is_none_or(|dialect| bits >> dialect & 1 == 1);
    let mut made = Vec::new();
    for (index, column) in rules.columns.iter().enumerate() {
        let numbered = column.rules.iter().enumerate().filter(|(_, rule)| is_asked(rule));
        let asked: Vec<_> = numbered.map(|(number, rule)| (rule.gate, number, rule)).collect();
        if !asked.is_empty() {
            made.push(Asked { column: index, kind: column.kind, rules: asked });
        }
    }
    made
}

/// What a record says; `slots` are filled before it is asked.
pub struct Record<'a> {
    pub slots: Vec<Option<&'a str>>,
    pub touched: Vec<usize>,
    pub bits: u64,
    pub done: Vec<Option<Filled<'a>>>,
    /// The columns that have a value.
    pub filled: Vec<usize>,
    /// Attributes with the patterns that gather them.
    pub gathered: Vec<(u64, &'a str, &'a str)>,
    pub bases: Vec<Option<usize>>,
}

impl<'a> Record<'a> {
    pub fn new(rules: &Rules) -> Self {
        let columns = rules.columns.len();
        Record {
            slots: vec![None; rules.slots],
            touched: Vec::new(),
            bits: 0,
            done: vec![None; columns],
            filled: Vec::new(),
            gathered: Vec::new(),
            bases: vec![None; columns],
        }
    }

    pub fn clear(&mut self) {
        for slot in self.touched.drain(..) {
            if let Some(place) = self.slots.get_mut(slot) {
                *place = None;
            }
        }
        for column in self.filled.drain(..) {
            if let (Some(value), Some(basis)) = (self.done.get_mut(column), self.bases.get_mut(column)) {
                (*value, *basis) = (None, None);
            }
        }
        self.gathered.clear();
        self.bits = 0;
    }

    /// Gives a column without a value one.
    pub fn set(&mut self, column: usize, value: Filled<'a>) {
        if let Some(place) = self.done.get_mut(column) {
            *place = Some(value);
            self.filled.push(column);
        }
    }

    pub fn text(&self, column: usize) -> Option<&str> {
        self.done.get(column)?.as_ref()?.text()
    }

    pub fn put(&mut self, slot: Option<usize>, value: &'a str) {
        if let Some(index) = slot
            && let Some(place) = self.slots.get_mut(index)
        {
            *place = Some(value);
            self.touched.push(index);
        }
    }

    pub fn slot(&self, index: usize) -> Option<&'a str> {
        self.slots.get(index).copied().flatten()
    }

    fn is_there(&self, reference: Ref) -> bool {
        match reference {
            Ref::Slot(index) => self.slot(index).is_some(),
            Ref::Done(index) => self.done.get(index).is_some_and(Option::is_some),
        }
    }

    fn compared(&self, reference: Ref) -> Option<&str> {
        match reference {
            Ref::Slot(index) => self.slot(index),
            Ref::Done(index) => self.text(index),
        }
    }

    /// Fills the columns in order; a column's basis is the number of the rule that counted.
    pub fn fill(&mut self, plan: &Plan<'a>) -> Read<()> {
        for asked in plan {
            if let Some((value, number)) = self.first(asked)? {
                self.set(asked.column, value);
                if let Some(basis) = self.bases.get_mut(asked.column) {
                    *basis = Some(number);
                }
            }
        }
        Ok(())
    }

    fn first(&self, asked: &Asked<'a>) -> Read<Option<(Filled<'a>, usize)>> {
        for &(gate, number, rule) in &asked.rules {
            if gate.is_some_and(|slot| self.slot(slot).is_none()) || !self.applies(rule) {
                continue;
            }
            if rule.nothing {
                return Ok(None);
            }
            if let Some(value) = self.value(rule, asked.kind)? {
                return Ok(Some((value, number)));
            }
        }
        Ok(None)
    }

    fn applies(&self, rule: &Rule) -> bool {
        rule.wheres.iter().all(|(key, allowed)| self.compared(*key).is_some_and(|v| allowed.iter().any(|a| a == v)))
            && rule.present.iter().all(|key| self.is_there(*key))
            && rule.absent.iter().all(|key| !self.is_there(*key))
            && rule.same.is_none_or(|(a, b)| matches!((self.compared(a), self.compared(b)), (Some(x), Some(y)) if x == y))
    }

    fn value(&self, rule: &'a Rule, kind: Kind) -> Read<Option<Filled<'a>>> {
        let whole = rule.source.and_then(|index| self.slot(index));
        let start: Text<'a> = match (&rule.constant, whole, rule.gathered) {
            (Some(constant), _, _) => Cow::Borrowed(constant),
            (None, Some(text), _) => Cow::Borrowed(text),
            (None, None, Some(pattern)) => {
                let matching = self.gathered.iter().filter(|(patterns, _, _)| patterns >> pattern & 1 == 1);
                let pairs: Vec<_> = matching.map(|(_, key, value)| (*key, *value)).collect();
                if pairs.is_empty() {
                    return Ok(None);
                }
                Cow::Owned(joined(pairs))
            }
            (None, None, None) => return Ok(None),
        };
        let Some(value) = tidy(rule, start)? else { return Ok(None) };
        if !rule.plus.is_empty() || !rule.plus_json.is_empty() {
            return Ok(as_number(kind, Some(self.sum(rule, &value, whole)?)));
        }
        if let Some(content) = &rule.content {
            let found = match content {
                Content::Request => content::request(&value)?,
                Content::ToolCalls => content::tool_calls(&value)?,
                Content::Arguments => Some(content::arguments(&value)?),
            };
            return Ok(found.map(|text| Filled::Text(Cow::Owned(text))));
        }
        Ok(match kind {
            Kind::Text => (!value.is_empty()).then_some(Filled::Text(value)),
            Kind::Int | Kind::Double => as_number(kind, content::number(&value)?),
            Kind::Bool => content::boolean(&value)?.map(Filled::Bool),
            Kind::Names => Some(Filled::Names(content::names(&value)?)),
        })
    }

    fn sum(&self, rule: &Rule, value: &str, whole: Option<&str>) -> Read<f64> {
        let mut sum = content::number(value)?.unwrap_or(0.0);
        for path in &rule.plus_json {
            if let Some(text) = path.find(whole.unwrap_or(""))? {
                sum += content::number(&text)?.unwrap_or(0.0);
            }
        }
        for slot in &rule.plus {
            if let Some(text) = self.slot(*slot) {
                sum += content::number(text)?.unwrap_or(0.0);
            }
        }
        Ok(sum)
    }
}

fn as_number<'a>(kind: Kind, number: Option<f64>) -> Option<Filled<'a>> {
    let number = number?;
    match kind {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Kind::Int => (0.0..=9_007_199_254_740_992.0).contains(&number).then(|| Filled::Int(number as u64)),
        _ => number.is_finite().then_some(Filled::Double(number)),
    }
}

fn tidy<'a>(rule: &'a Rule, value: Text<'a>) -> Read<Option<Text<'a>>> {
    let mut value = value;
    if let Some(path) = &rule.json {
        match Path::find(path, &value)? {
            Some(found) => value = Cow::Owned(found),
            None => return Ok(None),
        }
    }
    if let Some(pattern) = &rule.extract {
        match pattern.captures(&value).and_then(|found| found.get(1)) {
            Some(group) => value = cut(&value, group.range()),
            None => return Ok(None),
        }
    }
    if rule.lower {
        value = if is_lower(&value) { value } else { Cow::Owned(lower(&value)?) };
    }
    if !rule.strip_prefix.is_empty()
        && let Some(rest) = value.strip_prefix(rule.strip_prefix.as_str())
    {
        value = cut(&value, value.len() - rest.len()..value.len());
    }
    if !rule.strip_suffix.is_empty()
        && let Some(rest) = value.strip_suffix(rule.strip_suffix.as_str())
    {
        value = cut(&value, 0..rest.len());
    }
    if rule.ignore.iter().any(|ignored| *ignored == value) {
        return Ok(None);
    }
    if let Some(values) = &rule.values {
        match values.get(value.as_ref()) {
            Some(translated) => value = Cow::Borrowed(translated),
            None if rule.keeps_other => {}
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

/// A part of a text; of a borrowed one without a copy.
fn cut<'a>(text: &Text<'a>, range: Range<usize>) -> Text<'a> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(range).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(range).unwrap_or_default().to_owned()),
    }
}

fn is_lower(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}

/// Lower case; beyond ASCII there are special cases that are left to the reference.
pub fn lower(text: &str) -> Read<String> {
    if text.is_ascii() { Ok(text.to_ascii_lowercase()) } else { Err(Odd) }
}
