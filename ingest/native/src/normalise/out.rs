//! The columns of facts being built.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, ListBuilder, StringBuilder, UInt64Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;

use super::record::{Filled, Record};
use super::rules::{Kind, Rules};

enum Builder {
    Text(StringBuilder),
    Int(UInt64Builder),
    Double(Float64Builder),
    Bool(BooleanBuilder),
    Names(ListBuilder<StringBuilder>),
}

impl Builder {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Builder::Text(StringBuilder::new()),
            Kind::Int => Builder::Int(UInt64Builder::new()),
            Kind::Double => Builder::Double(Float64Builder::new()),
            Kind::Bool => Builder::Bool(BooleanBuilder::new()),
            Kind::Names => Builder::Names(ListBuilder::new(StringBuilder::new())),
        }
    }

    fn push(&mut self, value: &Filled<'_>) {
        match (self, value) {
            (Builder::Text(builder), Filled::Text(text)) => builder.append_value(text),
            (Builder::Int(builder), Filled::Int(number)) => builder.append_value(*number),
            (Builder::Double(builder), Filled::Double(number)) => builder.append_value(*number),
            (Builder::Bool(builder), Filled::Bool(is)) => builder.append_value(*is),
            (Builder::Names(builder), Filled::Names(names)) => {
                for name in names {
                    builder.values().append_value(name);
                }
                builder.append(true);
            }
            (builder, _) => builder.skip(1),
        }
    }

    /// Rows without a value.
    fn skip(&mut self, rows: usize) {
        match self {
            Builder::Text(builder) => builder.append_nulls(rows),
            Builder::Int(builder) => builder.append_nulls(rows),
            Builder::Double(builder) => builder.append_nulls(rows),
            Builder::Bool(builder) => builder.append_nulls(rows),
            Builder::Names(builder) => builder.append_nulls(rows),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Text(builder) => Arc::new(builder.finish()),
            Builder::Int(builder) => Arc::new(builder.finish()),
            Builder::Double(builder) => Arc::new(builder.finish()),
            Builder::Bool(builder) => Arc::new(builder.finish()),
            Builder::Names(builder) => Arc::new(builder.finish()),
        }
    }
}

/// The columns whose basis is told, by the name of the column that tells it.
const BASES: [(&str, &str); 3] =
    [("operation", "operation_basis"), ("agent_name", "agent_basis"), ("side_effect", "side_effect_basis")];

pub struct Out {
    dialect: StringBuilder,
    /// Each with its number of rows: what is missing at the end of a column has no value.
    columns: Vec<(Builder, usize)>,
    rows: usize,
    bases: Vec<(usize, StringBuilder)>,
}

impl Out {
    pub fn new(rules: &Rules, rows: usize) -> Self {
        let place = |name: &str| rules.columns.iter().position(|column| column.name == name).unwrap_or(0);
        Out {
            dialect: StringBuilder::with_capacity(rows, rows * 8),
            columns: rules.columns.iter().map(|column| (Builder::new(column.kind), 0)).collect(),
            rows: 0,
            bases: BASES.iter().map(|(column, _)| (place(column), StringBuilder::new())).collect(),
        }
    }

    pub fn push(&mut self, record: &Record<'_>, rules: &Rules, side_effect: usize, is_guess: bool) {
        let last = 63_usize.checked_sub(record.bits.leading_zeros() as usize);
        let spoken = || last.and_then(|index| rules.dialects.get(index)).map_or("", |(name, _)| name.as_str());
        self.dialect.append_value(record.slot(rules.mark).unwrap_or_else(spoken));
        for index in &record.filled {
            if let (Some((builder, have)), Some(Some(value))) = (self.columns.get_mut(*index), record.done.get(*index)) {
                if *have < self.rows {
                    builder.skip(self.rows - *have);
                }
                builder.push(value);
                *have = self.rows + 1;
            }
        }
        self.rows += 1;
        for (column, builder) in &mut self.bases {
            let rule = record.bases.get(*column).copied().flatten();
            let said = rule.and_then(|number| rules.columns.get(*column)?.rules.get(number)).map(|rule| rule.basis.as_str());
            builder.append_option(if *column == side_effect && is_guess { Some("inferred") } else { said });
        }
    }

    /// A row that is answered elsewhere.
    pub fn blank(&mut self) {
        self.dialect.append_value("");
        self.rows += 1;
        for (_, builder) in &mut self.bases {
            builder.append_null();
        }
    }

    pub fn finish(mut self, rules: &Rules) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<(String, ArrayRef)> = vec![("dialect".to_owned(), Arc::new(self.dialect.finish()))];
        for (column, (builder, have)) in rules.columns.iter().zip(&mut self.columns) {
            builder.skip(self.rows - *have);
            columns.push((column.name.clone(), builder.finish()));
        }
        for ((_, name), (_, builder)) in BASES.iter().zip(&mut self.bases) {
            columns.push(((*name).to_owned(), Arc::new(builder.finish())));
        }
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
    }
}
