//! The `bratt` program.
fn main() {}
