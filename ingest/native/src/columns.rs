//! Arrow columns being built: texts, ids, maps, lists.

use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeBinaryArray, ListArray, MapArray, StringArray, StructArray, TimestampNanosecondArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields as Schema};

use crate::text;
use crate::wire::{Odd, Read, pair, value};

pub type Made<T> = Result<T, ArrowError>;

const MAX_TIME: u64 = i64::MAX as u64;

fn offset(size: usize) -> Read<i32> {
    i32::try_from(size).map_err(|_| Odd)
}

fn offsets(ends: Vec<i32>) -> OffsetBuffer<i32> {
    OffsetBuffer::new(ScalarBuffer::from(ends))
}

/// Texts one after the other.
pub struct Texts {
    pub data: Vec<u8>,
    ends: Vec<i32>,
}

impl Texts {
    pub fn new() -> Self {
        Texts { data: Vec::new(), ends: vec![0] }
    }

    #[inline]
    pub fn push(&mut self, text: &[u8]) -> Read<()> {
        self.data.extend_from_slice(text);
        self.end()
    }

    /// Ends the text that was written to `data`.
    #[inline]
    pub fn end(&mut self) -> Read<()> {
        self.ends.push(offset(self.data.len())?);
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.ends.len() - 1
    }

    pub fn finish(self) -> Made<StringArray> {
        StringArray::try_new(offsets(self.ends), Buffer::from_vec(self.data), None)
    }
}

/// Ids of a fixed size.
pub struct Ids {
    size: i32,
    data: Vec<u8>,
}

impl Ids {
    pub fn new(size: i32) -> Self {
        Ids { size, data: Vec::new() }
    }

    /// An id; one of another size becomes zero.
    #[inline]
    pub fn push(&mut self, id: &[u8]) {
        let size = usize::try_from(self.size).unwrap_or(0);
        if id.len() == size {
            self.data.extend_from_slice(id);
        } else {
            self.data.resize(self.data.len() + size, 0);
        }
    }

    pub fn finish(self) -> Made<ArrayRef> {
        Ok(Arc::new(FixedSizeBinaryArray::try_new(self.size, Buffer::from_vec(self.data), None)?))
    }
}

pub struct Times(Vec<i64>);

impl Times {
    pub fn new() -> Self {
        Times(Vec::new())
    }

    #[inline]
    pub fn push(&mut self, nanoseconds: u64) {
        self.0.push(nanoseconds.min(MAX_TIME).cast_signed());
    }

    pub fn finish(self) -> ArrayRef {
        Arc::new(TimestampNanosecondArray::new(self.0.into(), None).with_timezone("UTC"))
    }
}

/// Maps from text to text, one per row; `kinds` has a letter per value.
pub struct Maps {
    keys: Texts,
    values: Texts,
    ends: Vec<i32>,
    pub kinds: Option<Texts>,
}

/// Where a map lies that was built before, to be repeated.
#[derive(Clone, Copy)]
pub struct Place {
    first: usize,
    end: usize,
}

impl Maps {
    pub fn new(with_kinds: bool) -> Self {
        Maps { keys: Texts::new(), values: Texts::new(), ends: vec![0], kinds: with_kinds.then(Texts::new) }
    }

    pub fn rows(&self) -> usize {
        self.ends.len() - 1
    }

    /// One row out of KeyValue messages. A key given twice keeps its place and takes its last value.
    pub fn push<'a>(&mut self, pairs: &[&'a [u8]], scratch: &mut Vec<(&'a [u8], &'a [u8])>) -> Read<()> {
        scratch.clear();
        for message in pairs {
            scratch.push(pair(message)?);
        }
        if repeats(scratch) {
            unique(scratch);
        }
        for (key, message) in scratch.iter() {
            self.keys.push(key)?;
            let letter = text::write(value(message)?, &mut self.values.data)?;
            self.values.end()?;
            if let Some(kinds) = &mut self.kinds {
                kinds.data.push(letter);
            }
        }
        if let Some(kinds) = &mut self.kinds {
            kinds.end()?;
        }
        self.ends.push(offset(self.keys.len())?);
        Ok(())
    }

    /// The row that was built last.
    pub fn last(&self) -> Place {
        let end = self.keys.len();
        let first = self.ends.len().checked_sub(2).and_then(|at| self.ends.get(at)).copied().unwrap_or(0);
        Place { first: usize::try_from(first).unwrap_or(0), end }
    }

    /// Once more the row at `place`.
    pub fn repeat(&mut self, place: Place) -> Read<()> {
        for texts in [&mut self.keys, &mut self.values] {
            let ends = texts.ends.get(place.first..=place.end).ok_or(Odd)?;
            let start = *ends.first().ok_or(Odd)?;
            let stop = *ends.last().ok_or(Odd)?;
            let shift = offset(texts.data.len())?.checked_sub(start).ok_or(Odd)?;
            let moved: Vec<i32> =
                ends.iter().skip(1).map(|end| end.checked_add(shift)).collect::<Option<_>>().ok_or(Odd)?;
            let range = usize::try_from(start).map_err(|_| Odd)?..usize::try_from(stop).map_err(|_| Odd)?;
            texts.data.extend_from_within(range);
            texts.ends.extend(moved);
        }
        self.ends.push(offset(self.keys.len())?);
        Ok(())
    }

    pub fn finish(self) -> Made<ArrayRef> {
        Ok(Arc::new(map_array(self.ends, self.keys.finish()?, self.values.finish()?)?))
    }

    /// The letters, where they were kept.
    pub fn finish_kinds(&mut self) -> Made<ArrayRef> {
        Ok(Arc::new(self.kinds.take().unwrap_or_else(Texts::new).finish()?))
    }
}

fn map_array(ends: Vec<i32>, keys: StringArray, values: StringArray) -> Made<MapArray> {
    let fields = Schema::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)]);
    let entries = StructArray::try_new(fields.clone(), vec![Arc::new(keys), Arc::new(values)], None)?;
    let field = Arc::new(Field::new("entries", DataType::Struct(fields), false));
    MapArray::try_new(field, offsets(ends), entries, None, false)
}

/// Whether a key stands twice.
#[inline]
fn repeats(pairs: &[(&[u8], &[u8])]) -> bool {
    if pairs.len() > 64 {
        let mut keys: Vec<&[u8]> = pairs.iter().map(|pair| pair.0).collect();
        keys.sort_unstable();
        return keys.windows(2).any(|two| two.first() == two.last());
    }
    // Length and last byte tell most keys apart without looking at them.
    pairs.iter().enumerate().any(|(index, (key, _))| {
        pairs.iter().take(index).any(|(other, _)| {
            key.len() == other.len() && key.last() == other.last() && key == other
        })
    })
}

fn unique<'a>(pairs: &mut Vec<(&'a [u8], &'a [u8])>) {
    let mut known: std::collections::HashMap<&[u8], usize> = std::collections::HashMap::new();
    let mut kept: Vec<(&'a [u8], &'a [u8])> = Vec::with_capacity(pairs.len());
    for (key, value) in pairs.drain(..) {
        match known.get(key).and_then(|&at| kept.get_mut(at)) {
            Some(pair) => pair.1 = value,
            None => {
                known.insert(key, kept.len());
                kept.push((key, value));
            }
        }
    }
    *pairs = kept;
}

/// A list per row: ends are counted in items.
pub struct Ends(Vec<i32>);

impl Ends {
    pub fn new() -> Self {
        Ends(vec![0])
    }

    #[inline]
    pub fn push(&mut self, items: usize) -> Read<()> {
        self.0.push(offset(items)?);
        Ok(())
    }

    pub fn list(&self, items: ArrayRef) -> Made<ArrayRef> {
        let field = Arc::new(Field::new("item", items.data_type().clone(), true));
        Ok(Arc::new(ListArray::try_new(field, offsets(self.0.clone()), items, None)?))
    }
}
