//! The outside view of the generated workflows.
