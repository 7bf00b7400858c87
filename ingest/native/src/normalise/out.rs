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

    fn push(&mut self, value: Option<&Filled<'_>>) {
        match (self, value) {
            (Builder::Text(builder), Some(Filled::Text(text))) => builder.append_value(text),
            (Builder::Int(builder), Some(Filled::Int(number))) => builder.append_value(*number),
            (Builder::Double(builder), Some(Filled::Double(number))) => builder.append_value(*number),
            (Builder::Bool(builder), Some(Filled::Bool(is))) => builder.append_value(*is),
            (Builder::Names(builder), Some(Filled::Names(names))) => {
                for name in names {
                    builder.values().append_value(name);
                }
                builder.append(true);
            }
            (Builder::Text(builder), _) => builder.append_null(),
            (Builder::Int(builder), _) => builder.append_null(),
            (Builder::Double(builder), _) => builder.append_null(),
            (Builder::Bool(builder), _) => builder.append_null(),
            (Builder::Names(builder), _) => builder.append(false),
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
    columns: Vec<Builder>,
    bases: Vec<(usize, StringBuilder)>,
}

impl Out {
    pub fn new(rules: &Rules, rows: usize) -> Self {
        let place = |name: &str| rules.columns.iter().position(|column| column.name == name).unwrap_or(0);
        Out {
            dialect: StringBuilder::with_capacity(rows, rows * 8),
            columns: rules.columns.iter().map(|column| Builder::new(column.kind)).collect(),
            bases: BASES.iter().map(|(column, _)| (place(column), StringBuilder::new())).collect(),
        }
    }

    pub fn push(&mut self, record: &Record<'_>, rules: &Rules, side_effect: usize, is_guess: bool) {
        let last = 63_usize.checked_sub(record.bits.leading_zeros() as usize);
        let dialect = last.and_then(|index| rules.dialects.get(index)).map_or("", |(name, _)| name.as_str());
        self.dialect.append_value(dialect);
        for (builder, value) in self.columns.iter_mut().zip(&record.done) {
            builder.push(value.as_ref());
        }
        for (column, builder) in &mut self.bases {
            let rule = record.bases.get(*column).copied().flatten();
            let said = rule.and_then(|number| rules.columns.get(*column)?.rules.get(number)).map(|rule| rule.basis.as_str());
            builder.append_option(if *column == side_effect && is_guess { Some("inferred") } else { said });
        }
    }

    /// A row that is answered elsewhere.
    pub fn blank(&mut self) {
        self.dialect.append_value("");
        for builder in &mut self.columns {
            builder.push(None);
        }
        for (_, builder) in &mut self.bases {
            builder.append_null();
        }
    }

    pub fn finish(mut self, rules: &Rules) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<(String, ArrayRef)> = vec![("dialect".to_owned(), Arc::new(self.dialect.finish()))];
        for (column, builder) in rules.columns.iter().zip(&mut self.columns) {
            columns.push((column.name.clone(), builder.finish()));
        }
        for ((_, name), (_, builder)) in BASES.iter().zip(&mut self.bases) {
            columns.push(((*name).to_owned(), Arc::new(builder.finish())));
        }
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
    }
}
