//! What of a request can be kept: a walk over its bytes that believes nothing.
//!
//! It accepts what protobuf's parser accepts, and declines whatever may be otherwise.

use crate::traces::is_id;
use crate::wire::{Field, Fields, Odd, Read, is_text};

/// Messages inside one another; protobuf gives up at 100.
const DEEPEST: u32 = 80;

/// What a request holds.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Found {
    pub accepted: u64,
    pub bad_trace_ids: u64,
    pub bad_span_ids: u64,
    pub most_attributes: usize,
    pub longest_value: usize,
}

/// A kind of message: how its fields are checked.
#[derive(Clone, Copy)]
enum Kind {
    Resource,
    EntityRef,
    Scope,
    ResourceParts(bool),
    ScopeParts(bool),
    Span,
    Event,
    Link,
    Status,
    Record,
    Pair,
    Value,
    Array,
    List,
}

/// What a field of a message must be.
enum Part {
    Text,
    Bytes,
    Message(Kind),
    Varint,
    Fixed64,
    Fixed32,
    Unknown,
}

fn part(kind: Kind, number: u32) -> Part {
    use Kind::*;
    match (kind, number) {
        (Resource, 1) | (Scope, 3) | (Event, 3) | (Link, 4) | (Span, 9) | (Record, 6) | (List, 1) => Part::Message(Pair),
        (Resource, 3) => Part::Message(EntityRef),
        (EntityRef, 1..=4) | (Scope, 1 | 2) | (ResourceParts(_) | ScopeParts(_), 3) | (Span, 3 | 5) => Part::Text,
        (Event, 2) | (Link, 3) | (Status, 2) | (Record, 3 | 12) | (Pair, 1) | (Value, 1) => Part::Text,
        (Resource, 2) | (Scope, 4) | (Span, 6 | 10 | 12 | 14) | (Event, 4) | (Link, 5) | (Status, 3) => Part::Varint,
        (Record, 2 | 7) | (Value, 2 | 3) => Part::Varint,
        (ResourceParts(_), 1) => Part::Message(Resource),
        (ResourceParts(is_log), 2) => Part::Message(ScopeParts(is_log)),
        (ScopeParts(_), 1) => Part::Message(Scope),
        (ScopeParts(false), 2) => Part::Message(Span),
        (ScopeParts(true), 2) => Part::Message(Record),
        (Span, 1 | 2 | 4) | (Link, 1 | 2) | (Record, 9 | 10) | (Value, 7) => Part::Bytes,
        (Span, 7 | 8) | (Event, 1) | (Record, 1 | 11) | (Value, 4) => Part::Fixed64,
        (Span, 16) | (Link, 6) | (Record, 8) => Part::Fixed32,
        (Span, 11) => Part::Message(Event),
        (Span, 13) => Part::Message(Link),
        (Span, 15) => Part::Message(Status),
        (Record, 5) | (Pair, 2) | (Array, 1) => Part::Message(Value),
        (Value, 5) => Part::Message(Array),
        (Value, 6) => Part::Message(List),
        _ => Part::Unknown,
    }
}

pub fn inspect(is_log: bool, body: &[u8]) -> Read<Found> {
    let mut found = Found::default();
    let mut fields = Fields::of(body);
    while let Some(field) = fields.next()? {
        match field {
            Field::Bytes(1, message) => walk(Kind::ResourceParts(is_log), message, 1, &mut found)?,
            Field::Varint(1, _) | Field::Fixed64(1, _) | Field::Fixed32(1, _) => return Err(Odd),
            _ => {}
        }
    }
    Ok(found)
}

fn walk(kind: Kind, message: &[u8], depth: u32, found: &mut Found) -> Read<()> {
    if depth > DEEPEST {
        return Err(Odd);
    }
    let mut attributes = 0;
    let (mut trace, mut id): (&[u8], &[u8]) = (b"", b"");
    let mut seen = 0u32;
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field {
            Field::Bytes(number, bytes) => match part(kind, number) {
                Part::Message(Kind::Pair) => {
                    attributes += 1;
                    attribute(bytes, depth + 1, found)?;
                }
                Part::Message(inner) => {
                    single(kind, inner, number, &mut seen)?;
                    walk(inner, bytes, depth + 1, found)?;
                }
                Part::Text => {
                    checked(bytes)?;
                    if matches!(kind, Kind::Value) {
                        found.longest_value = found.longest_value.max(bytes.len());
                    }
                }
                Part::Bytes => match (kind, number) {
                    (Kind::Span, 1) => trace = bytes,
                    (Kind::Span, 2) => id = bytes,
                    (Kind::Value, _) => found.longest_value = found.longest_value.max(bytes.len()),
                    _ => {}
                },
                Part::Unknown => {}
                _ => return Err(Odd),
            },
            Field::Varint(number, _) if matches!(part(kind, number), Part::Varint | Part::Unknown) => {}
            Field::Fixed64(number, _) if matches!(part(kind, number), Part::Fixed64 | Part::Unknown) => {}
            Field::Fixed32(number, _) if matches!(part(kind, number), Part::Fixed32 | Part::Unknown) => {}
            _ => return Err(Odd),
        }
    }
    if !matches!(kind, Kind::List) {
        found.most_attributes = found.most_attributes.max(attributes);
    }
    match kind {
        Kind::Span if !is_id(trace, 16) => found.bad_trace_ids += 1,
        Kind::Span if !is_id(id, 8) => found.bad_span_ids += 1,
        Kind::Span | Kind::Record => found.accepted += 1,
        _ => {}
    }
    Ok(())
}

/// A message that may stand once is declined when it stands twice: protobuf would merge the two.
fn single(kind: Kind, inner: Kind, number: u32, seen: &mut u32) -> Read<()> {
    let is_single = matches!(inner, Kind::Resource | Kind::Scope | Kind::Status | Kind::Array | Kind::List)
        || matches!((kind, inner), (Kind::Record, Kind::Value));
    let bit = 1u32.checked_shl(number).unwrap_or(0);
    if is_single && *seen & bit != 0 {
        return Err(Odd);
    }
    *seen |= bit;
    Ok(())
}

/// A KeyValue: the most frequent message, its plain forms are read without a walk.
#[inline]
fn attribute(message: &[u8], depth: u32, found: &mut Found) -> Read<()> {
    let (mut keys, mut values) = (0, 0);
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field {
            Field::Bytes(1, key) => {
                checked(key)?;
                keys += 1;
            }
            Field::Bytes(2, value) => {
                any_value(value, depth + 1, found)?;
                values += 1;
            }
            _ => return Err(Odd),
        }
    }
    if keys > 1 || values > 1 { Err(Odd) } else { Ok(()) }
}

#[inline]
fn checked(bytes: &[u8]) -> Read<()> {
    if is_text(bytes) { Ok(()) } else { Err(Odd) }
}

#[inline]
fn any_value(message: &[u8], depth: u32, found: &mut Found) -> Read<()> {
    let mut fields = Fields::of(message);
    match fields.next()? {
        None | Some(Field::Varint(2 | 3, _) | Field::Fixed64(4, _)) => {}
        Some(Field::Bytes(1, bytes)) => {
            checked(bytes)?;
            found.longest_value = found.longest_value.max(bytes.len());
        }
        _ => return walk(Kind::Value, message, depth, found),
    }
    match fields.next()? {
        None => Ok(()),
        Some(_) => Err(Odd),
    }
}
