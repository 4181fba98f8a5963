//! How a step of the checks ended.

/// How a step ended; the text is for the table.
pub enum Outcome {
    Passed(String),
    Failed(String),
    Skipped(String),
}

impl From<Result<(), String>> for Outcome {
    fn from(result: Result<(), String>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Passed(String::new()))
    }
}
