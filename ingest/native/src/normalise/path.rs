//! The JSON paths of dialect files, as Polars answers them: the first match, texts plain and others as JSON.

use serde_json::Value;

use crate::wire::{Odd, Read};

use super::json;

enum Step {
    Key(String),
    Index(usize),
}

pub struct Path(Vec<Step>);

impl Path {
    /// Keys and numbers only: `$.replies[0].meta`. Anything else is not done here.
    pub fn parse(text: &str) -> Result<Self, String> {
        let other = || format!("JSON path {text}");
        let mut rest = text.strip_prefix('$').ok_or_else(other)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let size = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
                let (key, tail) = after.split_at_checked(size).ok_or_else(other)?;
                if key.is_empty() {
                    return Err(other());
                }
                steps.push(Step::Key(key.to_owned()));
                rest = tail;
            } else if let Some((number, tail)) = rest.strip_prefix('[').and_then(|after| after.split_once(']')) {
                steps.push(Step::Index(number.parse().map_err(|_| other())?));
                rest = tail;
            } else {
                return Err(other());
            }
        }
        Ok(Path(steps))
    }

    /// A path of one key.
    pub fn key(key: &str) -> Result<Self, String> {
        Path::parse(&format!("$.{key}"))
    }

    /// What stands at the path in a JSON text; None where nothing does, or the text is no JSON.
    pub fn find(&self, text: &str) -> Read<Option<String>> {
        let Some(value) = json::parse(text)? else { return Ok(None) };
        let mut here = &value;
        for step in &self.0 {
            let next = match (step, here) {
                (Step::Key(key), Value::Object(map)) => map.get(key),
                (Step::Index(index), Value::Array(items)) => items.get(*index),
                (Step::Key(_), Value::Array(_)) | (Step::Index(_), Value::Object(_)) => return Err(Odd),
                _ => None,
            };
            match next {
                Some(found) => here = found,
                None => return Ok(None),
            }
        }
        match here {
            Value::String(text) => Ok(Some(text.clone())),
            Value::Bool(is) => Ok(Some(is.to_string())),
            Value::Number(number) if json::is_plain_integer(number) => Ok(Some(number.to_string())),
            _ => Err(Odd),
        }
    }
}
