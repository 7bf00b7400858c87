//! OTLP bytes to Arrow, for `actorscope.ingest`: equal to the Python reference in everything it answers.
#![forbid(unsafe_code)]

use pyo3::prelude::*;

/// Fast paths of `actorscope.ingest.decode` and `actorscope.ingest.normalise`.
#[pymodule]
mod actorscope_native {
    use super::*;

    /// Version of this build; the Python side refuses another one.
    #[pyfunction]
    fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}
