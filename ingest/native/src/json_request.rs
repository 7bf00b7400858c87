//! OTLP/JSON to the protobuf bytes of the same request, in one pass without a tree of the document.
//!
//! Whatever is unusual (a key given twice, null, `1.0` for a whole number) is declined: `decode_json` decides it.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::digits::{base64, hex};

type Entry = (&'static str, u32, Kind);

enum Kind {
    Text,
    Id,
    Bytes,
    Bool,
    Double,
    Fixed32,
    Fixed64,
    /// A varint within these bounds.
    Int(i128, i128),
    One(&'static [Entry]),
    List(&'static [Entry]),
    /// At most one field of this message may be given.
    Choice(&'static [Entry]),
    Choices(&'static [Entry]),
    /// Left to the reference.
    Odd,
}
use Kind::{Bool, Bytes, Choice, Choices, Double, Fixed32, Fixed64, Id, Int, List, Odd, One, Text};

const U32: Kind = Int(0, u32::MAX as i128);
const I32: Kind = Int(i32::MIN as i128, i32::MAX as i128);
const I64: Kind = Int(i64::MIN as i128, i64::MAX as i128);

static TRACES: [Entry; 1] = [("resourceSpans", 1, List(&RESOURCE_SPANS))];
static LOGS: [Entry; 1] = [("resourceLogs", 1, List(&RESOURCE_LOGS))];
static RESOURCE_SPANS: [Entry; 3] = [("resource", 1, One(&RESOURCE)), ("scopeSpans", 2, List(&SCOPE_SPANS)), ("schemaUrl", 3, Text)];
static RESOURCE_LOGS: [Entry; 3] = [("resource", 1, One(&RESOURCE)), ("scopeLogs", 2, List(&SCOPE_LOGS)), ("schemaUrl", 3, Text)];
static RESOURCE: [Entry; 3] = [("attributes", 1, List(&PAIR)), ("droppedAttributesCount", 2, U32), ("entityRefs", 3, Odd)];
static SCOPE_SPANS: [Entry; 3] = [("scope", 1, One(&SCOPE)), ("spans", 2, List(&SPAN)), ("schemaUrl", 3, Text)];
static SCOPE_LOGS: [Entry; 3] = [("scope", 1, One(&SCOPE)), ("logRecords", 2, List(&RECORD)), ("schemaUrl", 3, Text)];
static SCOPE: [Entry; 4] =
    [("name", 1, Text), ("version", 2, Text), ("attributes", 3, List(&PAIR)), ("droppedAttributesCount", 4, U32)];
static SPAN: [Entry; 16] = [
    ("traceId", 1, Id),
    ("spanId", 2, Id),
    ("traceState", 3, Text),
    ("parentSpanId", 4, Id),
    ("flags", 16, Fixed32),
    ("name", 5, Text),
    ("kind", 6, I32),
    ("startTimeUnixNano", 7, Fixed64),
    ("endTimeUnixNano", 8, Fixed64),
    ("attributes", 9, List(&PAIR)),
    ("droppedAttributesCount", 10, U32),
    ("events", 11, List(&EVENT)),
    ("droppedEventsCount", 12, U32),
    ("links", 13, List(&LINK)),
    ("droppedLinksCount", 14, U32),
    ("status", 15, One(&STATUS)),
];
static EVENT: [Entry; 4] =
    [("timeUnixNano", 1, Fixed64), ("name", 2, Text), ("attributes", 3, List(&PAIR)), ("droppedAttributesCount", 4, U32)];
static LINK: [Entry; 6] = [
    ("traceId", 1, Id),
    ("spanId", 2, Id),
    ("traceState", 3, Text),
    ("attributes", 4, List(&PAIR)),
    ("droppedAttributesCount", 5, U32),
    ("flags", 6, Fixed32),
];
static STATUS: [Entry; 2] = [("message", 2, Text), ("code", 3, I32)];
static RECORD: [Entry; 11] = [
    ("timeUnixNano", 1, Fixed64),
    ("observedTimeUnixNano", 11, Fixed64),
    ("severityNumber", 2, I32),
    ("severityText", 3, Text),
    ("body", 5, Choice(&ANY)),
    ("attributes", 6, List(&PAIR)),
    ("droppedAttributesCount", 7, U32),
    ("flags", 8, Fixed32),
    ("traceId", 9, Id),
    ("spanId", 10, Id),
    ("eventName", 12, Text),
];
static PAIR: [Entry; 3] = [("key", 1, Text), ("value", 2, Choice(&ANY)), ("keyStrindex", 3, Odd)];
static ANY: [Entry; 8] = [
    ("stringValue", 1, Text),
    ("intValue", 3, I64),
    ("boolValue", 2, Bool),
    ("doubleValue", 4, Double),
    ("arrayValue", 5, One(&ARRAY)),
    ("kvlistValue", 6, One(&PAIRS)),
    ("bytesValue", 7, Bytes),
    ("stringValueStrindex", 8, Odd),
];
static ARRAY: [Entry; 1] = [("values", 1, Choices(&ANY))];
static PAIRS: [Entry; 1] = [("values", 1, List(&PAIR))];

/// The request as protobuf; None when the reference must look at it.
pub fn to_protobuf(is_log: bool, body: &[u8]) -> Option<Vec<u8>> {
    let text = simdutf8::basic::from_utf8(body).ok()?;
    if may_hold_huge_number(body) {
        return None;
    }
    let mut out = Vec::with_capacity(body.len() / 2);
    let mut parser = serde_json::Deserializer::from_str(text);
    let entries: &'static [Entry] = if is_log { &LOGS } else { &TRACES };
    Message { entries, is_choice: false, out: &mut out }.deserialize(&mut parser).ok()?;
    parser.end().ok()?;
    Some(out)
}

/// Python refuses numbers of more than 4300 digits wherever they stand; ten digits 400 bytes apart tell enough.
fn may_hold_huge_number(body: &[u8]) -> bool {
    let mut run = 0;
    body.iter().step_by(400).any(|byte| {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        run >= 10
    })
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn tag(number: u32, wire: u32, out: &mut Vec<u8>) {
    varint(u64::from(number << 3 | wire), out);
}

/// Puts the length of all that follows `start` before it, where one byte is kept free.
fn close(start: usize, out: &mut Vec<u8>) {
    let size = out.len().saturating_sub(start);
    let mut length = Vec::new();
    if size < 0x80 {
        length.push(size as u8);
    } else {
        length.reserve(5);
        varint(size as u64, &mut length);
    }
    let at = start.saturating_sub(1);
    if let ([only], Some(free)) = (length.as_slice(), out.get_mut(at)) {
        *free = *only;
    } else {
        out.splice(at..start, length);
    }
}

/// One object as the fields of a message.
struct Message<'o> {
    entries: &'static [Entry],
    is_choice: bool,
    out: &'o mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Message<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Message<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut seen, mut next) = (0u32, 0);
        while let Some(known) = map.next_key_seed(Key { entries: self.entries, next })? {
            let Some(at) = known else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let bit = 1u32 << (at & 31);
            if seen & bit != 0 || (self.is_choice && seen != 0) {
                return Err(A::Error::custom("given twice"));
            }
            seen |= bit;
            next = at + 1;
            let Some((_, number, kind)) = self.entries.get(at) else { continue };
            map.next_value_seed(Given { number: *number, kind, out: self.out })?;
        }
        Ok(())
    }
}

/// The place of a key among the known ones.
struct Key {
    entries: &'static [Entry],
    /// Where it is looked for first: senders keep to the order of the definition.
    next: usize,
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        if self.entries.get(self.next).is_some_and(|(name, ..)| *name == key) {
            return Ok(Some(self.next));
        }
        Ok(self.entries.iter().position(|(name, ..)| *name == key))
    }
}

/// The value of one field.
struct Given<'o> {
    number: u32,
    kind: &'static Kind,
    out: &'o mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Given<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Given { number, kind, out } = self;
        match kind {
            Text => return deserializer.deserialize_str(Self { number, kind, out }),
            List(_) | Choices(_) => return deserializer.deserialize_seq(Self { number, kind, out }),
            One(entries) | Choice(entries) => {
                tag(number, 2, out);
                out.push(0);
                let start = out.len();
                Message { entries, is_choice: matches!(kind, Choice(_)), out }.deserialize(deserializer)?;
                close(start, out);
                return Ok(());
            }
            _ => {}
        }
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        scalar(number, kind, raw, out).ok_or_else(|| D::Error::custom("unusual"))
    }
}

impl<'de> Visitor<'de> for Given<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text or a list")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        tag(self.number, 2, self.out);
        varint(text.len() as u64, self.out);
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let (List(entries) | Choices(entries)) = self.kind else { return Err(A::Error::custom("no list")) };
        let is_choice = matches!(self.kind, Choices(_));
        loop {
            let before = self.out.len();
            tag(self.number, 2, self.out);
            self.out.push(0);
            let start = self.out.len();
            if list.next_element_seed(Message { entries, is_choice, out: self.out })?.is_none() {
                self.out.truncate(before);
                return Ok(());
            }
            close(start, self.out);
        }
    }
}

/// The inside of a JSON text without escapes.
fn quoted(raw: &str) -> Option<&str> {
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') { None } else { Some(inside) }
}

fn integer(raw: &str, least: i128, most: i128) -> Option<i128> {
    let digits = if raw.starts_with('"') { quoted(raw)? } else { raw };
    if digits.len() > 20 || digits.starts_with('+') {
        return None;
    }
    digits.parse().ok().filter(|number| (least..=most).contains(number))
}

fn double(raw: &str) -> Option<f64> {
    match quoted(raw) {
        Some("NaN") => Some(f64::from_bits(0x7ff8_0000_0000_0000)),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some(_) => None,
        None if raw == "-0" => None, // whole in Python, and there without a sign
        None if raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => raw.parse().ok().filter(|n: &f64| n.is_finite()),
        None => None,
    }
}

/// Writes a field that is neither text nor message; None when its value is unusual.
fn scalar(number: u32, kind: &Kind, raw: &str, out: &mut Vec<u8>) -> Option<()> {
    match kind {
        Id | Bytes => {
            let text = quoted(raw)?.as_bytes();
            let bytes = if matches!(kind, Id) { hex(text)? } else { base64(text)? };
            tag(number, 2, out);
            varint(bytes.len() as u64, out);
            out.extend_from_slice(&bytes);
        }
        Bool => {
            tag(number, 0, out);
            out.push(match raw {
                "true" => 1,
                "false" => 0,
                _ => return None,
            });
        }
        Double => {
            let value = double(raw)?;
            tag(number, 1, out);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Fixed32 => {
            let value = u32::try_from(integer(raw, 0, i128::from(u32::MAX))?).ok()?;
            tag(number, 5, out);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Fixed64 => {
            let value = u64::try_from(integer(raw, 0, i128::from(u64::MAX))?).ok()?;
            tag(number, 1, out);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Int(least, most) => {
            let value = i64::try_from(integer(raw, *least, *most)?).ok()?;
            tag(number, 0, out);
            varint(value.cast_unsigned(), out);
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusual_documents_are_declined() {
        for body in [&b""[..], b"[]", b"{\"resourceSpans\":null}", b"{\"resourceSpans\":[],\"resourceSpans\":[]}", b"{}x", b"\xff"] {
            assert_eq!(to_protobuf(false, body), None, "{body:?}");
        }
        assert_eq!(to_protobuf(false, b"{\"new\":[1]}"), Some(Vec::new()));
    }

    #[test]
    fn a_long_message_has_a_long_length() {
        let name = "x".repeat(300);
        let body = format!("{{\"resourceSpans\":[{{\"schemaUrl\":\"{name}\"}}]}}");
        let made = to_protobuf(false, body.as_bytes()).unwrap_or_default();
        assert_eq!(made.get(..6), Some(&[0x0a, 0xaf, 0x02, 0x1a, 0xac, 0x02][..]));
        assert_eq!(made.len(), 306);
    }
}
