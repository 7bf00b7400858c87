//! The protobuf wire format: fields of a message, bounds checked.
//!
//! Texts are handed on as bytes: `inspect` looks at each, and Arrow looks at all of a column at once.

/// The bytes are in a form that is not read here; the Python reference decides what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Odd;

pub type Read<T> = Result<T, Odd>;

/// Deepest nesting of values that is read here; protobuf parsers allow 100 messages in all.
pub const DEEPEST: u32 = 60;

/// One field of a message: its number and its content.
#[derive(Debug, Clone, Copy)]
pub enum Field<'a> {
    Varint(u32, u64),
    Fixed64(u32, u64),
    Bytes(u32, &'a [u8]),
    Fixed32(u32, u32),
}

/// Reads the fields of a message one after the other.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn of(message: &'a [u8]) -> Self {
        Fields { rest: message }
    }

    #[inline]
    fn varint(&mut self) -> Read<u64> {
        if let Some((&byte, rest)) = self.rest.split_first()
            && byte < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(byte));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Read<u64> {
        let mut value = 0u64;
        for (index, &byte) in self.rest.iter().take(10).enumerate() {
            if index == 9 && byte > 1 {
                return Err(Odd);
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.rest = self.rest.get(index + 1..).ok_or(Odd)?;
                return Ok(value);
            }
        }
        Err(Odd)
    }

    #[inline]
    fn take(&mut self, size: usize) -> Read<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(size).ok_or(Odd)?;
        self.rest = rest;
        Ok(head)
    }

    /// The next field; None at the end of the message.
    #[inline]
    pub fn next(&mut self) -> Read<Option<Field<'a>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| Odd)?;
        if number == 0 || number > 536_870_911 {
            return Err(Odd);
        }
        Ok(Some(match tag & 7 {
            0 => Field::Varint(number, self.varint()?),
            1 => Field::Fixed64(number, u64::from_le_bytes(self.take(8)?.try_into().map_err(|_| Odd)?)),
            2 => {
                let size = usize::try_from(self.varint()?).map_err(|_| Odd)?;
                Field::Bytes(number, self.take(size)?)
            }
            5 => Field::Fixed32(number, u32::from_le_bytes(self.take(4)?.try_into().map_err(|_| Odd)?)),
            _ => return Err(Odd),
        }))
    }
}

/// Whether bytes are text. Most texts are short and ASCII: those are told without a call.
#[inline]
pub fn is_text(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let high = words.iter().fold(0, |bits, word| bits | u64::from_le_bytes(*word));
    let low = rest.iter().fold(0, |bits, byte| bits | byte);
    (high & 0x8080_8080_8080_8080 == 0 && low < 0x80) || simdutf8::basic::from_utf8(bytes).is_ok()
}

/// A field that may stand once: protobuf would take the last or merge, which is left to the reference.
#[inline]
pub fn once<T>(slot: &mut Option<T>, value: T) -> Read<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Odd),
    }
}

/// The key and the AnyValue of a KeyValue message; a missing value is an empty one.
#[inline]
pub fn pair(message: &[u8]) -> Read<(&[u8], &[u8])> {
    let (mut key, mut value) = (None, None);
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field {
            Field::Bytes(1, bytes) => once(&mut key, bytes)?,
            Field::Bytes(2, bytes) => once(&mut value, bytes)?,
            _ => return Err(Odd),
        }
    }
    Ok((key.unwrap_or(b""), value.unwrap_or(b"")))
}

/// What an AnyValue holds.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    Empty,
    Text(&'a [u8]),
    Bool(bool),
    Int(i64),
    Double(f64),
    Array(&'a [u8]),
    List(&'a [u8]),
    Raw(&'a [u8]),
}

/// The content of an AnyValue message; a kind of tomorrow, or two at once, is odd.
#[inline]
pub fn value(message: &[u8]) -> Read<Value<'_>> {
    let mut found = None;
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        let value = match field {
            Field::Bytes(1, bytes) => Value::Text(bytes),
            Field::Varint(2, number) => Value::Bool(number != 0),
            Field::Varint(3, number) => Value::Int(number.cast_signed()),
            Field::Fixed64(4, bits) => Value::Double(f64::from_bits(bits)),
            Field::Bytes(5, bytes) => Value::Array(bytes),
            Field::Bytes(6, bytes) => Value::List(bytes),
            Field::Bytes(7, bytes) => Value::Raw(bytes),
            _ => return Err(Odd),
        };
        once(&mut found, value)?;
    }
    Ok(found.unwrap_or(Value::Empty))
}

/// The messages of the one repeated field that ArrayValue and KeyValueList have.
pub fn items(message: &[u8]) -> impl Iterator<Item = Read<&[u8]>> {
    let mut fields = Fields::of(message);
    std::iter::from_fn(move || match fields.next() {
        Ok(None) => None,
        Ok(Some(Field::Bytes(1, bytes))) => Some(Ok(bytes)),
        _ => Some(Err(Odd)),
    })
}
