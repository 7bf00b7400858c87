//! One record: its slots are asked by the rules, column after column.

use std::borrow::Cow;

use crate::wire::{Odd, Read};

use super::content;
use super::path::Path;
use super::rules::{Column, Content, Kind, Ref, Rule, Rules};

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

/// The columns that any rule may fill for records of some dialects, in order, each with the numbers of those rules.
pub type Plan = Vec<(usize, Vec<usize>)>;

/// The plan for the dialects in `bits`. A record with gathered attributes is declined before it is asked.
pub fn plan(rules: &Rules, bits: u64) -> Plan {
    let asked = |rule: &Rule| rule.gathered.is_none() && rule.dialect.is_none_or(|dialect| bits >> dialect & 1 == 1);
    let numbers = |column: &Column| column.rules.iter().enumerate().filter(|(_, rule)| asked(rule)).map(|(n, _)| n).collect();
    let all = rules.columns.iter().enumerate().map(|(index, column)| (index, numbers(column)));
    all.filter(|(_, numbers): &(usize, Vec<usize>)| !numbers.is_empty()).collect()
}

/// What a record says; `slots` are filled before it is asked.
pub struct Record<'a> {
    pub slots: Vec<Option<&'a str>>,
    pub touched: Vec<usize>,
    pub bits: u64,
    pub done: Vec<Option<Filled<'a>>>,
    pub bases: Vec<Option<usize>>,
}

impl<'a> Record<'a> {
    pub fn new(rules: &Rules) -> Self {
        let columns = rules.columns.len();
        Record { slots: vec![None; rules.slots], touched: Vec::new(), bits: 0, done: vec![None; columns], bases: vec![None; columns] }
    }

    pub fn clear(&mut self) {
        for slot in self.touched.drain(..) {
            if let Some(place) = self.slots.get_mut(slot) {
                *place = None;
            }
        }
        self.bits = 0;
    }

    pub fn put(&mut self, slot: Option<usize>, value: &'a str) {
        if let Some(index) = slot
            && let Some(place) = self.slots.get_mut(index)
        {
            *place = Some(value);
            self.touched.push(index);
        }
    }

    fn slot(&self, index: usize) -> Option<&'a str> {
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
            Ref::Done(index) => self.done.get(index)?.as_ref()?.text(),
        }
    }

    /// Fills the columns in order; a column's basis is the number of the rule that counted.
    pub fn fill(&mut self, rules: &Rules, plan: &Plan) -> Read<()> {
        self.done.fill(None);
        self.bases.fill(None);
        for (index, numbers) in plan {
            let Some(column) = rules.columns.get(*index) else { continue };
            let (value, basis) = self.first(column, numbers)?;
            if let (Some(place), Some(why)) = (self.done.get_mut(*index), self.bases.get_mut(*index)) {
                (*place, *why) = (value, basis);
            }
        }
        Ok(())
    }

    fn first(&self, column: &Column, numbers: &[usize]) -> Read<(Option<Filled<'a>>, Option<usize>)> {
        for &number in numbers {
            let Some(rule) = column.rules.get(number).filter(|rule| self.applies(rule)) else { continue };
            if rule.nothing {
                return Ok((None, None));
            }
            if let Some(value) = self.value(rule, column.kind)? {
                return Ok((Some(value), Some(number)));
            }
        }
        Ok((None, None))
    }

    fn applies(&self, rule: &Rule) -> bool {
        rule.wheres.iter().all(|(key, allowed)| self.compared(*key).is_some_and(|v| allowed.iter().any(|a| a == v)))
            && rule.present.iter().all(|key| self.is_there(*key))
            && rule.absent.iter().all(|key| !self.is_there(*key))
            && rule.same.is_none_or(|(a, b)| matches!((self.compared(a), self.compared(b)), (Some(x), Some(y)) if x == y))
    }

    fn value(&self, rule: &Rule, kind: Kind) -> Read<Option<Filled<'a>>> {
        let whole = rule.source.and_then(|index| self.slot(index));
        let start: Text<'a> = match (&rule.constant, whole) {
            (Some(constant), _) => Cow::Owned(constant.clone()),
            (None, Some(text)) => Cow::Borrowed(text),
            (None, None) => return Ok(None),
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

fn tidy<'a>(rule: &Rule, value: Text<'a>) -> Read<Option<Text<'a>>> {
    let mut value = value;
    if let Some(path) = &rule.json {
        match Path::find(path, &value)? {
            Some(found) => value = Cow::Owned(found),
            None => return Ok(None),
        }
    }
    if let Some(pattern) = &rule.extract {
        match pattern.captures(&value).and_then(|found| found.get(1)) {
            Some(group) => value = Cow::Owned(group.as_str().to_owned()),
            None => return Ok(None),
        }
    }
    if rule.lower {
        value = Cow::Owned(lower(&value)?);
    }
    if !rule.strip_prefix.is_empty()
        && let Some(rest) = value.strip_prefix(rule.strip_prefix.as_str())
    {
        value = Cow::Owned(rest.to_owned());
    }
    if !rule.strip_suffix.is_empty()
        && let Some(rest) = value.strip_suffix(rule.strip_suffix.as_str())
    {
        value = Cow::Owned(rest.to_owned());
    }
    if rule.ignore.iter().any(|ignored| *ignored == value) {
        return Ok(None);
    }
    if let Some(values) = &rule.values {
        match values.get(value.as_ref()) {
            Some(translated) => value = Cow::Owned(translated.clone()),
            None if rule.keeps_other => {}
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

/// Lower case; beyond ASCII there are special cases that are left to the reference.
pub fn lower(text: &str) -> Read<String> {
    if text.is_ascii() { Ok(text.to_ascii_lowercase()) } else { Err(Odd) }
}
