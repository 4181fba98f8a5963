//! Set-up, checks and benchmarks of the bratt workspace.
fn main() {}
