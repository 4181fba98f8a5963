//! The program as its users meet it: run as a process, judged by exit code, output and files.

mod bad_input;
mod browser;
mod choosing;
mod common;
mod configuration;
mod explaining;
mod fitting;
mod judging;
mod lab;
mod newcomer;
mod pictures;
mod report;
mod resuming;
mod running;
mod stepping;
mod surface;
#[cfg(target_os = "linux")]
mod terminal;
mod tracing;
mod tuning;
