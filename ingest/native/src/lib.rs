//! OTLP bytes to Arrow, for `actorscope.ingest`: equal to the Python reference in everything it answers.
//!
//! What is rare or in doubt is declined (None): the reference decides it. No input makes this panic.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects)]
#![allow(clippy::arithmetic_side_effects)]

mod columns;
mod digits;
mod inspect;
mod json_request;
mod logs;
// How its nested conditions read is a matter of that module; everything else clippy says holds there too.
#[allow(clippy::collapsible_if, clippy::collapsible_match, clippy::unnecessary_lazy_evaluations)]
mod normalise;
mod text;
mod traces;
mod wire;

use arrow_array::RecordBatch;
use arrow_pyarrow::{FromPyArrow, IntoPyArrow};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

/// Fast paths of `actorscope.ingest.decode` and `actorscope.ingest.normalise`.
#[pymodule]
mod actorscope_native {
    use super::*;

    /// Version of this build; the Python side refuses another one.
    #[pyfunction]
    fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// The rules of all dialects, compiled once; ValueError says what of them is not done here.
    #[pyclass(frozen)]
    struct Normaliser(normalise::Normaliser);

    #[pymethods]
    impl Normaliser {
        #[new]
        fn new(rules: &str) -> PyResult<Self> {
            normalise::Normaliser::new(rules).map(Normaliser).map_err(PyValueError::new_err)
        }

        /// The facts of decoded records, and the rows that are left to the reference.
        fn normalise<'py>(&self, py: Python<'py>, batch: Bound<'py, PyAny>, is_log: bool) -> PyResult<(Bound<'py, PyAny>, Vec<u32>)> {
            let batch = RecordBatch::from_pyarrow_bound(&batch)?;
            let (facts, odd) = py.detach(|| self.0.normalise(&batch, is_log)).map_err(PyValueError::new_err)?;
            Ok((facts.into_pyarrow(py)?, odd))
        }
    }

    /// Usable records, spans with bad trace ids, with bad span ids, most attributes of one record, longest value in bytes.
    #[pyfunction]
    fn inspect(py: Python<'_>, is_log: bool, body: PyBackedBytes) -> Option<(u64, u64, u64, usize, usize)> {
        let found = py.detach(|| crate::inspect::inspect(is_log, &body)).ok()?;
        Some((found.accepted, found.bad_trace_ids, found.bad_span_ids, found.most_attributes, found.longest_value))
    }

    /// The spans of all bodies in order as one record batch.
    #[pyfunction]
    fn decode_traces<'py>(py: Python<'py>, bodies: Vec<PyBackedBytes>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let made = py.detach(|| {
            let mut spans = traces::Spans::new();
            bodies.iter().try_for_each(|body| spans.request(body)).ok()?;
            spans.finish().ok()
        });
        handed(py, made)
    }

    /// An OTLP/JSON body as protobuf.
    #[pyfunction]
    fn json_to_protobuf<'py>(py: Python<'py>, signal: &str, body: PyBackedBytes) -> Option<Bound<'py, PyBytes>> {
        let is_log = match signal {
            "traces" => false,
            "logs" => true,
            _ => return None,
        };
        py.detach(|| json_request::to_protobuf(is_log, &body)).map(|made| PyBytes::new(py, &made))
    }

    /// The log records of all bodies in order as one record batch.
    #[pyfunction]
    fn decode_logs<'py>(py: Python<'py>, bodies: Vec<PyBackedBytes>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let made = py.detach(|| {
            let mut logs = logs::Logs::new();
            bodies.iter().try_for_each(|body| logs.request(body)).ok()?;
            logs.finish().ok()
        });
        handed(py, made)
    }
}

/// A batch to Python; None where the bytes were declined.
fn handed(py: Python<'_>, made: Option<RecordBatch>) -> PyResult<Option<Bound<'_, PyAny>>> {
    made.map(|batch| batch.into_pyarrow(py)).transpose()
}
