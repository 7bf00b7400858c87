//! Trace requests to the columns DECODED_SPANS of `ingest/columns.py`.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};

use crate::columns::{Ends, Ids, Made, Maps, Place, Texts, Times};
use crate::wire::{Field, Fields, Odd, Read, Value, once, pair, value};

const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const STATUSES: [&str; 3] = ["unset", "ok", "error"];

/// What is the same for all spans of a scope.
struct Around<'a> {
    service: &'a [u8],
    scope: &'a [u8],
    version: &'a [u8],
    resource: Option<Place>,
}

/// The fields of a span, event or link that are messages, kept while one is read.
#[derive(Default)]
struct Parts<'a> {
    attributes: Vec<&'a [u8]>,
    events: Vec<&'a [u8]>,
    links: Vec<&'a [u8]>,
    inner: Vec<&'a [u8]>,
    pairs: Vec<(&'a [u8], &'a [u8])>,
}

pub struct Spans {
    trace_ids: Ids,
    span_ids: Ids,
    parents: Ids,
    states: Texts,
    flags: Vec<u32>,
    names: Texts,
    kinds: Texts,
    starts: Times,
    ends: Times,
    codes: Texts,
    messages: Texts,
    services: Texts,
    scopes: Texts,
    versions: Texts,
    attributes: Maps,
    resources: Maps,
    event_ends: Ends,
    event_times: Times,
    event_names: Texts,
    event_attributes: Maps,
    link_ends: Ends,
    link_traces: Ids,
    link_spans: Ids,
    link_attributes: Maps,
    dropped: Vec<u32>,
}

impl Spans {
    pub fn new() -> Self {
        Spans {
            trace_ids: Ids::new(16),
            span_ids: Ids::new(8),
            parents: Ids::new(8),
            states: Texts::new(),
            flags: Vec::new(),
            names: Texts::new(),
            kinds: Texts::new(),
            starts: Times::new(),
            ends: Times::new(),
            codes: Texts::new(),
            messages: Texts::new(),
            services: Texts::new(),
            scopes: Texts::new(),
            versions: Texts::new(),
            attributes: Maps::new(true),
            resources: Maps::new(false),
            event_ends: Ends::new(),
            event_times: Times::new(),
            event_names: Texts::new(),
            event_attributes: Maps::new(false),
            link_ends: Ends::new(),
            link_traces: Ids::new(16),
            link_spans: Ids::new(8),
            link_attributes: Maps::new(false),
            dropped: Vec::new(),
        }
    }

    /// The spans of one request; those without valid ids are left out.
    pub fn request(&mut self, body: &[u8]) -> Read<()> {
        let mut fields = Fields::of(body);
        while let Some(field) = fields.next()? {
            match field {
                Field::Bytes(1, resource_spans) => self.resource_spans(resource_spans)?,
                Field::Varint(1, _) | Field::Fixed64(1, _) | Field::Fixed32(1, _) => return Err(Odd),
                _ => {}
            }
        }
        Ok(())
    }

    fn resource_spans(&mut self, message: &[u8]) -> Read<()> {
        let (mut resource, mut scopes) = (None, Vec::new());
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field {
                Field::Bytes(1, bytes) => once(&mut resource, bytes)?,
                Field::Bytes(2, bytes) => scopes.push(bytes),
                Field::Bytes(3, _) => {}
                Field::Varint(1..=3, _) | Field::Fixed64(1..=3, _) | Field::Fixed32(1..=3, _) => return Err(Odd),
                _ => {}
            }
        }
        let attributes = repeated(resource.unwrap_or(b""), 1)?;
        let mut around = Around { service: first_text(&attributes, b"service.name")?, scope: b"", version: b"", resource: None };
        let mut parts = Parts::default();
        for scope in scopes {
            self.scope_spans(scope, &attributes, &mut around, &mut parts)?;
        }
        Ok(())
    }

    fn scope_spans<'a>(
        &mut self,
        message: &'a [u8],
        resource: &[&'a [u8]],
        around: &mut Around<'a>,
        parts: &mut Parts<'a>,
    ) -> Read<()> {
        let (mut scope, mut spans) = (None, Vec::new());
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field {
                Field::Bytes(1, bytes) => once(&mut scope, bytes)?,
                Field::Bytes(2, bytes) => spans.push(bytes),
                Field::Bytes(3, _) => {}
                Field::Varint(1..=3, _) | Field::Fixed64(1..=3, _) | Field::Fixed32(1..=3, _) => return Err(Odd),
                _ => {}
            }
        }
        (around.scope, around.version) = scope_of(scope.unwrap_or(b""))?;
        for span in spans {
            if self.span(span, around, parts)? {
                self.resource(resource, around, parts)?;
            }
        }
        Ok(())
    }

    /// The resource of the span that was added last: built for the first one, repeated for others.
    fn resource<'a>(&mut self, resource: &[&'a [u8]], around: &mut Around<'a>, parts: &mut Parts<'a>) -> Read<()> {
        match around.resource {
            Some(place) => self.resources.repeat(place),
            None => {
                self.resources.push(resource, &mut parts.pairs)?;
                around.resource = Some(self.resources.last());
                Ok(())
            }
        }
    }

    /// Adds a span; false when its ids are not valid.
    fn span<'a>(&mut self, message: &'a [u8], around: &Around<'a>, parts: &mut Parts<'a>) -> Read<bool> {
        let (mut trace, mut id, mut parent, mut state, mut name) = (None, None, None, None, None);
        let (mut kind, mut start, mut end, mut status, mut flags) = (None, None, None, None, None);
        let mut dropped = [None; 3];
        parts.attributes.clear();
        parts.events.clear();
        parts.links.clear();
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field {
                Field::Bytes(9, bytes) => parts.attributes.push(bytes),
                Field::Bytes(1, bytes) => once(&mut trace, bytes)?,
                Field::Bytes(2, bytes) => once(&mut id, bytes)?,
                Field::Bytes(3, bytes) => once(&mut state, bytes)?,
                Field::Bytes(4, bytes) => once(&mut parent, bytes)?,
                Field::Bytes(5, bytes) => once(&mut name, bytes)?,
                Field::Varint(6, number) => once(&mut kind, number)?,
                Field::Fixed64(7, number) => once(&mut start, number)?,
                Field::Fixed64(8, number) => once(&mut end, number)?,
                Field::Varint(10, number) => once(&mut dropped[0], number)?,
                Field::Bytes(11, bytes) => parts.events.push(bytes),
                Field::Varint(12, number) => once(&mut dropped[1], number)?,
                Field::Bytes(13, bytes) => parts.links.push(bytes),
                Field::Varint(14, number) => once(&mut dropped[2], number)?,
                Field::Bytes(15, bytes) => once(&mut status, bytes)?,
                Field::Fixed32(16, number) => once(&mut flags, number)?,
                Field::Bytes(..=16, _) | Field::Varint(..=16, _) | Field::Fixed64(..=16, _) | Field::Fixed32(..=16, _) => {
                    return Err(Odd);
                }
                _ => {}
            }
        }
        let (trace, id) = (trace.unwrap_or(b""), id.unwrap_or(b""));
        if !is_id(trace, 16) || !is_id(id, 8) {
            return Ok(false);
        }
        self.trace_ids.push(trace);
        self.span_ids.push(id);
        self.parents.push(parent.unwrap_or(b""));
        self.states.push(state.unwrap_or(b""))?;
        self.flags.push(flags.unwrap_or(0));
        self.names.push(name.unwrap_or(b""))?;
        self.kinds.push(named(&KINDS, kind.unwrap_or(0)))?;
        self.starts.push(start.unwrap_or(0));
        self.ends.push(end.unwrap_or(0));
        self.status(status.unwrap_or(b""))?;
        self.services.push(around.service)?;
        self.scopes.push(around.scope)?;
        self.versions.push(around.version)?;
        self.attributes.push(&parts.attributes, &mut parts.pairs)?;
        self.events(parts)?;
        self.links(parts)?;
        let sum: u64 = dropped.iter().map(|count| low(count.unwrap_or(0))).sum();
        self.dropped.push(u32::try_from(sum).unwrap_or(u32::MAX));
        Ok(true)
    }

    fn status(&mut self, message: &[u8]) -> Read<()> {
        let (mut said, mut code) = (None, None);
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field {
                Field::Bytes(2, bytes) => once(&mut said, bytes)?,
                Field::Varint(3, number) => once(&mut code, number)?,
                Field::Varint(2, _) | Field::Bytes(3, _) | Field::Fixed64(2..=3, _) | Field::Fixed32(2..=3, _) => return Err(Odd),
                _ => {}
            }
        }
        self.messages.push(said.unwrap_or(b""))?;
        self.codes.push(named(&STATUSES, code.unwrap_or(0)))
    }

    fn events(&mut self, parts: &mut Parts<'_>) -> Read<()> {
        for index in 0..parts.events.len() {
            let (mut at, mut name) = (None, None);
            parts.inner.clear();
            let mut fields = Fields::of(parts.events.get(index).copied().unwrap_or(b""));
            while let Some(field) = fields.next()? {
                match field {
                    Field::Fixed64(1, number) => once(&mut at, number)?,
                    Field::Bytes(2, bytes) => once(&mut name, bytes)?,
                    Field::Bytes(3, bytes) => parts.inner.push(bytes),
                    Field::Varint(4, _) => {}
                    Field::Bytes(..=4, _) | Field::Varint(..=4, _) | Field::Fixed64(..=4, _) | Field::Fixed32(..=4, _) => {
                        return Err(Odd);
                    }
                    _ => {}
                }
            }
            self.event_times.push(at.unwrap_or(0));
            self.event_names.push(name.unwrap_or(b""))?;
            self.event_attributes.push(&parts.inner, &mut parts.pairs)?;
        }
        self.event_ends.push(self.event_attributes.rows())
    }

    fn links(&mut self, parts: &mut Parts<'_>) -> Read<()> {
        for index in 0..parts.links.len() {
            let (mut trace, mut id) = (None, None);
            parts.inner.clear();
            let mut fields = Fields::of(parts.links.get(index).copied().unwrap_or(b""));
            while let Some(field) = fields.next()? {
                match field {
                    Field::Bytes(1, bytes) => once(&mut trace, bytes)?,
                    Field::Bytes(2, bytes) => once(&mut id, bytes)?,
                    Field::Bytes(3, _) => {}
                    Field::Bytes(4, bytes) => parts.inner.push(bytes),
                    Field::Varint(5, _) | Field::Fixed32(6, _) => {}
                    Field::Bytes(..=6, _) | Field::Varint(..=6, _) | Field::Fixed64(..=6, _) | Field::Fixed32(..=6, _) => {
                        return Err(Odd);
                    }
                    _ => {}
                }
            }
            let (trace, id) = (trace.unwrap_or(b""), id.unwrap_or(b""));
            if trace.len() == 16 && id.len() == 8 {
                self.link_traces.push(trace);
                self.link_spans.push(id);
                self.link_attributes.push(&parts.inner, &mut parts.pairs)?;
            }
        }
        self.link_ends.push(self.link_attributes.rows())
    }

    pub fn finish(mut self) -> Made<RecordBatch> {
        let attribute_types = self.attributes.finish_kinds()?;
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("trace_id", self.trace_ids.finish()?),
            ("span_id", self.span_ids.finish()?),
            ("parent_span_id", self.parents.finish()?),
            ("trace_state", Arc::new(self.states.finish()?)),
            ("flags", Arc::new(UInt32Array::from(self.flags))),
            ("name", Arc::new(self.names.finish()?)),
            ("kind", Arc::new(self.kinds.finish()?)),
            ("start_time", self.starts.finish()),
            ("end_time", self.ends.finish()),
            ("status_code", Arc::new(self.codes.finish()?)),
            ("status_message", Arc::new(self.messages.finish()?)),
            ("service_name", Arc::new(self.services.finish()?)),
            ("scope_name", Arc::new(self.scopes.finish()?)),
            ("scope_version", Arc::new(self.versions.finish()?)),
            ("attributes", self.attributes.finish()?),
            ("attribute_types", attribute_types),
            ("resource_attributes", self.resources.finish()?),
            ("event_times", self.event_ends.list(self.event_times.finish())?),
            ("event_names", self.event_ends.list(Arc::new(self.event_names.finish()?))?),
            ("event_attributes", self.event_ends.list(self.event_attributes.finish()?)?),
            ("link_trace_ids", self.link_ends.list(self.link_traces.finish()?)?),
            ("link_span_ids", self.link_ends.list(self.link_spans.finish()?)?),
            ("link_attributes", self.link_ends.list(self.link_attributes.finish()?)?),
            ("dropped_count", Arc::new(UInt32Array::from(self.dropped))),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
    }
}

/// Name and version of a scope message.
pub fn scope_of(message: &[u8]) -> Read<(&[u8], &[u8])> {
    let (mut name, mut version) = (None, None);
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field {
            Field::Bytes(1, bytes) => once(&mut name, bytes)?,
            Field::Bytes(2, bytes) => once(&mut version, bytes)?,
            Field::Varint(1..=2, _) | Field::Fixed64(1..=2, _) | Field::Fixed32(1..=2, _) => return Err(Odd),
            _ => {}
        }
    }
    Ok((name.unwrap_or(b""), version.unwrap_or(b"")))
}

/// The messages of a repeated field.
pub fn repeated(message: &[u8], wanted: u32) -> Read<Vec<&[u8]>> {
    let mut found = Vec::new();
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field {
            Field::Bytes(number, bytes) if number == wanted => found.push(bytes),
            Field::Varint(number, _) | Field::Fixed64(number, _) | Field::Fixed32(number, _) if number == wanted => {
                return Err(Odd);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The text of the first attribute of this key; empty where it is absent or no text.
pub fn first_text<'a>(pairs: &[&'a [u8]], wanted: &[u8]) -> Read<&'a [u8]> {
    for message in pairs {
        let (key, found) = pair(message)?;
        if key == wanted {
            return Ok(match value(found)? {
                Value::Text(text) => text,
                _ => b"",
            });
        }
    }
    Ok(b"")
}

pub fn is_id(id: &[u8], size: usize) -> bool {
    id.len() == size && id.iter().any(|&byte| byte != 0)
}

/// The name of an enumeration; numbers beyond it are the first. Enums have 32 bits.
fn named<'a>(names: &[&'a str], number: u64) -> &'a [u8] {
    let index = usize::try_from(low(number)).unwrap_or(usize::MAX);
    names.get(index).or(names.first()).copied().unwrap_or("").as_bytes()
}

/// The 32 bits that protobuf keeps of a number for a 32-bit field.
fn low(number: u64) -> u64 {
    number & 0xffff_ffff
}
