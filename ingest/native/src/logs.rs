//! Log requests to the columns DECODED_LOGS of `ingest/columns.py`.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};

use crate::columns::{Ids, Made, Maps, Place, Texts, Times};
use crate::text as texts;
use crate::traces::{first_text, repeated, scope_of};
use crate::wire::{Field, Fields, Odd, Read, once, value};

pub struct Logs {
    times: Times,
    observed: Times,
    traces: Ids,
    spans: Ids,
    events: Texts,
    severities: Texts,
    bodies: Texts,
    services: Texts,
    scopes: Texts,
    attributes: Maps,
    resources: Maps,
}

impl Logs {
    pub fn new() -> Self {
        Logs {
            times: Times::new(),
            observed: Times::new(),
            traces: Ids::new(16),
            spans: Ids::new(8),
            events: Texts::new(),
            severities: Texts::new(),
            bodies: Texts::new(),
            services: Texts::new(),
            scopes: Texts::new(),
            attributes: Maps::new(false),
            resources: Maps::new(false),
        }
    }

    pub fn request(&mut self, body: &[u8]) -> Read<()> {
        for resource_logs in repeated(body, 1)? {
            let (mut resource, mut scopes) = (None, Vec::new());
            let mut fields = Fields::of(resource_logs);
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
            let service = first_text(&attributes, b"service.name")?;
            let mut place = None;
            for scope_logs in scopes {
                self.scope_logs(scope_logs, &attributes, service, &mut place)?;
            }
        }
        Ok(())
    }

    fn scope_logs(&mut self, message: &[u8], resource: &[&[u8]], service: &[u8], place: &mut Option<Place>) -> Read<()> {
        let (mut scope, mut records) = (None, Vec::new());
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field {
                Field::Bytes(1, bytes) => once(&mut scope, bytes)?,
                Field::Bytes(2, bytes) => records.push(bytes),
                Field::Bytes(3, _) => {}
                Field::Varint(1..=3, _) | Field::Fixed64(1..=3, _) | Field::Fixed32(1..=3, _) => return Err(Odd),
                _ => {}
            }
        }
        let (scope, _) = scope_of(scope.unwrap_or(b""))?;
        for record in records {
            self.record(record)?;
            self.services.push(service)?;
            self.scopes.push(scope)?;
            match *place {
                Some(place) => self.resources.repeat(place)?,
                None => {
                    self.resources.push(resource, &mut Vec::new())?;
                    *place = Some(self.resources.last());
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, message: &[u8]) -> Read<()> {
        let (mut at, mut observed, mut severity, mut said) = (None, None, None, None);
        let (mut trace, mut span, mut event, mut attributes) = (None, None, None, Vec::new());
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field {
                Field::Fixed64(1, number) => once(&mut at, number)?,
                Field::Varint(2, _) | Field::Varint(7, _) | Field::Fixed32(8, _) => {}
                Field::Bytes(3, bytes) => once(&mut severity, bytes)?,
                Field::Bytes(5, bytes) => once(&mut said, bytes)?,
                Field::Bytes(6, bytes) => attributes.push(bytes),
                Field::Bytes(9, bytes) => once(&mut trace, bytes)?,
                Field::Bytes(10, bytes) => once(&mut span, bytes)?,
                Field::Fixed64(11, number) => once(&mut observed, number)?,
                Field::Bytes(12, bytes) => once(&mut event, bytes)?,
                Field::Bytes(..=12, _) | Field::Varint(..=12, _) | Field::Fixed64(..=12, _) | Field::Fixed32(..=12, _) => {
                    return Err(Odd);
                }
                _ => {}
            }
        }
        let (at, observed) = (at.unwrap_or(0), observed.unwrap_or(0));
        self.times.push(if at == 0 { observed } else { at });
        self.observed.push(observed);
        self.traces.push(trace.unwrap_or(b""));
        self.spans.push(span.unwrap_or(b""));
        let event = event.unwrap_or(b"");
        self.events.push(if event.is_empty() { first_text(&attributes, b"event.name")? } else { event })?;
        self.severities.push(severity.unwrap_or(b""))?;
        texts::write(value(said.unwrap_or(b""))?, &mut self.bodies.data)?;
        self.bodies.end()?;
        self.attributes.push(&attributes, &mut Vec::new())
    }

    pub fn finish(self) -> Made<RecordBatch> {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("time", self.times.finish()),
            ("observed_time", self.observed.finish()),
            ("trace_id", self.traces.finish()?),
            ("span_id", self.spans.finish()?),
            ("event_name", Arc::new(self.events.finish()?)),
            ("severity", Arc::new(self.severities.finish()?)),
            ("body", Arc::new(self.bodies.finish()?)),
            ("service_name", Arc::new(self.services.finish()?)),
            ("scope_name", Arc::new(self.scopes.finish()?)),
            ("attributes", self.attributes.finish()?),
            ("resource_attributes", self.resources.finish()?),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
    }
}
