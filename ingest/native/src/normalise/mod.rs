//! Dialects applied to decoded records: equal to `ingest/normalise.py`. Records that are unusual are named, not answered.

mod after;
mod content;
mod gathered;
mod json;
mod out;
mod path;
mod record;
mod rules;

use rustc_hash::FxHashMap;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, ListArray, MapArray, RecordBatch, StringArray};

use self::after::{Places, Tools};
use self::out::Out;
use self::record::{Plan, Record, plan};
use self::rules::{Given, Meaning, Rules};

const SPAN: [(&str, &str); 5] =
    [("@name", "name"), ("@scope", "scope_name"), ("@service", "service_name"), ("@status", "status_code"), ("@kind", "kind")];
const LOG: [(&str, &str); 4] =
    [("@event", "event_name"), ("@body", "body"), ("@scope", "scope_name"), ("@service", "service_name")];

pub struct Normaliser {
    rules: Rules,
    places: Places,
    pseudo: Vec<String>,
}

impl Normaliser {
    pub fn new(text: &str) -> Result<Self, String> {
        let given: Given = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let pseudo = given.pseudo.clone();
        let rules = Rules::compile(given)?;
        let places = Places::of(&rules)?;
        Ok(Normaliser { rules, places, pseudo })
    }

    /// The facts of every record, and the rows of those that the reference must answer: their facts are empty here.
    pub fn normalise(&self, batch: &RecordBatch, is_log: bool) -> Result<(RecordBatch, Vec<u32>), String> {
        let named: &[(&str, &str)] = if is_log { &LOG } else { &SPAN };
        let texts: Vec<(usize, &StringArray)> = named
            .iter()
            .filter_map(|(pseudo, column)| Some((self.slot_of(pseudo)?, text_column(batch, column)?)))
            .collect();
        let scope = text_column(batch, "scope_name").ok_or("there is no scope_name")?;
        let attributes = Maps::of(batch.column_by_name("attributes"))?;
        let resources = Maps::of(batch.column_by_name("resource_attributes"))?;
        let events = if is_log { None } else { Some(Events::of(batch)?) };
        let mut known: FxHashMap<&str, Meaning> = FxHashMap::default();
        let mut scopes: FxHashMap<&str, u64> = FxHashMap::default();
        let mut plans: FxHashMap<u64, Plan<'_>> = FxHashMap::default();
        let mut out = Out::new(&self.rules, batch.num_rows());
        let mut odd = Vec::new();
        let mut record = Record::new(&self.rules);
        let mut tools = Tools::default();
        for row in 0..batch.num_rows() {
            record.clear();
            for (slot, column) in &texts {
                record.put(Some(*slot), column.value(row));
            }
            for at in attributes.row(row) {
                let key = attributes.keys.value(at);
                let meaning = *known.entry(key).or_insert_with(|| self.rules.meaning(key));
                record.bits |= meaning.bits;
                record.put(meaning.slot, attributes.values.value(at));
                if meaning.gathered > 0 {
                    record.gathered.push((meaning.gathered, key, attributes.values.value(at)));
                }
            }
            record.bits |= *scopes.entry(scope.value(row)).or_insert_with_key(|name| self.scope_bits(name));
            if !self.rules.resources.is_empty() && !is_log {
                for at in resources.row(row) {
                    record.put(self.rules.resources.get(resources.keys.value(at)).copied(), resources.values.value(at));
                }
            }
            if let Some(events) = &events {
                events.put(row, &self.rules, &mut record);
            }
            if record.slot(self.rules.mark).is_some() {
                record.bits = 1 << self.rules.dialects.len();
            }
            let asked = plans.entry(record.bits).or_insert_with_key(|bits| plan(&self.rules, *bits));
            match self.answer(&mut record, asked, &mut tools) {
                Ok(is_guess) => out.push(&record, &self.rules, self.places.side_effect, is_guess),
                Err(_) => {
                    odd.push(u32::try_from(row).unwrap_or(u32::MAX));
                    out.blank();
                }
            }
        }
        Ok((out.finish(&self.rules).map_err(|error| error.to_string())?, odd))
    }

    fn answer<'a>(&'a self, record: &mut Record<'a>, asked: &Plan<'a>, tools: &mut Tools<'a>) -> crate::wire::Read<bool> {
        record.fill(asked)?;
        if record.slot(self.rules.mark).is_some() {
            return Ok(false);
        }
        after::after(record, &self.rules, &self.places, tools)
    }

    fn slot_of(&self, pseudo: &str) -> Option<usize> {
        let index = self.pseudo.iter().position(|name| name == pseudo)?;
        self.rules.pseudo.get(index).copied().flatten()
    }

    fn scope_bits(&self, scope: &str) -> u64 {
        let hit = |scopes: &[String]| scopes.iter().any(|prefix| scope.starts_with(prefix.as_str()));
        self.rules.dialects.iter().enumerate().filter(|(_, (_, scopes))| hit(scopes)).fold(0, |bits, (index, _)| bits | 1 << index)
    }
}

fn text_column<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StringArray> {
    batch.column_by_name(name)?.as_string_opt::<i32>()
}

struct Maps<'a> {
    offsets: &'a [i32],
    keys: &'a StringArray,
    values: &'a StringArray,
}

impl<'a> Maps<'a> {
    fn of(column: Option<&'a ArrayRef>) -> Result<Self, String> {
        Self::in_map(column.and_then(|column| column.as_map_opt()).ok_or("attributes are no map")?)
    }

    fn in_map(map: &'a MapArray) -> Result<Self, String> {
        Ok(Maps {
            offsets: map.value_offsets(),
            keys: map.keys().as_string_opt::<i32>().ok_or("keys are no text")?,
            values: map.values().as_string_opt::<i32>().ok_or("values are no text")?,
        })
    }

    fn row(&self, row: usize) -> std::ops::Range<usize> {
        range(self.offsets, row)
    }
}

fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    at(row)..at(row + 1)
}

struct Events<'a> {
    lists: &'a ListArray,
    names: &'a StringArray,
    attributes: Maps<'a>,
}

impl<'a> Events<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, String> {
        let lists: &ListArray = batch.column_by_name("event_names").and_then(|c| c.as_list_opt()).ok_or("there are no events")?;
        let maps: &ListArray = batch.column_by_name("event_attributes").and_then(|c| c.as_list_opt()).ok_or("events say nothing")?;
        Ok(Events {
            lists,
            names: lists.values().as_string_opt::<i32>().ok_or("names of events are no text")?,
            attributes: Maps::in_map(maps.values().as_map_opt().ok_or("attributes of events are no map")?)?,
        })
    }

    /// The attributes of events that rules read; the last event of a name counts.
    fn put(&self, row: usize, rules: &Rules, record: &mut Record<'a>) {
        for event in range(self.lists.value_offsets(), row) {
            let Some(wanted) = rules.events.get(self.names.value(event)) else { continue };
            for at in self.attributes.row(event) {
                record.put(wanted.get(self.attributes.keys.value(at)).copied(), self.attributes.values.value(at));
            }
        }
    }
}
